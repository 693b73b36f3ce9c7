// Tests that depend on real weights: the Fashion-MNIST teacher in models/.
#include <gtest/gtest.h>

#include <filesystem>
#include <numeric>
#include <vector>

#include "halfstep/core/instruction_set.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"

namespace halfstep {
namespace {

const std::filesystem::path kTeacher =
    std::filesystem::path(HALFSTEP_SOURCE_DIR) / "models" / "fashion-teacher" / "model.safetensors";

constexpr int64_t kSteps = 4;

std::vector<uint64_t> seeds(uint64_t count) {
  std::vector<uint64_t> seeds(count);
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  return seeds;
}

Tensor images(const Model& model, uint64_t count, int64_t batch) {
  return generate(model, seeds(count), {.num_steps = kSteps, .batch = batch}).images.to(at::kInt);
}

// LibTorch picks other kernels for other batch sizes, so the last bits of a float differ.
TEST(TrainedModel, ImagesDoNotDependOnTheBatchBeyondOneLevelInFloat32) {
  const Model model = Model::load(kTeacher, {.precision = PrecisionChoice::fp32});
  const Tensor alone = images(model, 64, 1);
  const Tensor together = images(model, 64, 64);
  const Tensor difference = (alone - together).abs();
  EXPECT_LE(difference.max().item<int>(), 1);
  EXPECT_GE(difference.eq(0).to(at::kDouble).mean().item<double>(), 0.999);
}

// Rounding to bfloat16 moves x near 1 by half a level of 255, and four steps add up. At most 2
// levels with bfloat16 instructions, 3 if LibTorch emulates them.
TEST(TrainedModel, ImagesDoNotDependOnTheBatchBeyondFewLevelsInBFloat16) {
  const Model model = Model::load(kTeacher, {.precision = PrecisionChoice::bf16});
  const Tensor difference = (images(model, 64, 1) - images(model, 64, 16)).abs();
  const int levels = instruction_set() == InstructionSet::avx512_bf16 ? 2 : 3;
  EXPECT_LE(difference.max().item<int>(), levels);
  EXPECT_GE(difference.le(1).to(at::kDouble).mean().item<double>(), 0.99);
}

TEST(TrainedModel, HasClassesANullClassAndAtMostOneAndAHalfMillionParameters) {
  const Model model = Model::load(kTeacher);
  EXPECT_EQ(num_classes(model.spec().network), 10);
  EXPECT_TRUE(model.spec().has_null_class);
  EXPECT_EQ(model.spec().sampling.num_steps, 0);
  EXPECT_LE(count_parameters(model.network()), 1'500'000);
}

}  // namespace
}  // namespace halfstep
