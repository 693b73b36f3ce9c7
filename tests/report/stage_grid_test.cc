#include "halfstep/report/stage_grid.h"

#include <gtest/gtest.h>

#include <numeric>

#include "halfstep/core/precision.h"
#include "halfstep/io/image.h"
#include "halfstep/model/generate.h"
#include "halfstep/report/image_grid.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"

namespace halfstep::report {
namespace {

std::vector<uint8_t> drawn(const std::filesystem::path& folder) {
  return io::read_image(folder / "samples.png").pixels;
}

// The expected grid: seeds 0, 1, ..., sampled in the model's own precision.
io::Image grid_of(const Model& model, size_t images, int64_t columns,
                  std::optional<int64_t> num_steps) {
  std::vector<uint64_t> seeds(images);
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  GenerateOptions options;
  options.num_steps = num_steps;
  return image_grid(generate(model, seeds, options).images, columns);
}

TEST(StageGrid, SamplesAStudentWithItsOwnSteps) {
  const io::TemporaryFolder folder;
  Model model = test::small_model(3);
  model.spec.num_steps = 2;
  StageGrid(at::kCPU, PrecisionChoice::automatic).on_stage_end(folder.path(), model);
  EXPECT_EQ(folder.files(), 1);
  model.network->set_precision(best_precision(at::kCPU));
  EXPECT_EQ(drawn(folder.path()), grid_of(model, 64, 8, std::nullopt).pixels);
}

TEST(StageGrid, SamplesATeacherWithSixtyFourSteps) {
  const io::TemporaryFolder folder;
  const Model model = test::small_model();
  StageGrid(at::kCPU, PrecisionChoice::fp32, 3).on_stage_end(folder.path(), model);
  EXPECT_EQ(drawn(folder.path()), grid_of(model, 3, 2, 64).pixels);
}

TEST(StageGrid, SamplesInThePrecisionOfTheRunWithoutChangingTheModel) {
  const io::TemporaryFolder folder;
  Model model = test::small_model();
  const std::vector<uint8_t> fp32 = grid_of(model, 9, 3, 64).pixels;
  model.network->set_precision(Precision::bf16);
  const std::vector<uint8_t> bf16 = grid_of(model, 9, 3, 64).pixels;
  ASSERT_NE(bf16, fp32);
  StageGrid(at::kCPU, PrecisionChoice::fp32, 9).on_stage_end(folder.path(), model);
  EXPECT_EQ(drawn(folder.path()), fp32);
  EXPECT_EQ(grid_of(model, 9, 3, 64).pixels, bf16) << "the model still computes in bf16";
  model.network->set_precision(Precision::fp32);
  StageGrid(at::kCPU, PrecisionChoice::bf16, 9).on_stage_end(folder.path(), model);
  EXPECT_EQ(drawn(folder.path()), bf16);
  EXPECT_EQ(grid_of(model, 9, 3, 64).pixels, fp32) << "the model still computes in fp32";
}

TEST(StageGrid, WritesNoFileForZeroImages) {
  const io::TemporaryFolder folder;
  StageGrid(at::kCPU, PrecisionChoice::fp32, 0).on_stage_end(folder.path(), test::small_model());
  EXPECT_EQ(folder.files(), 0);
}

}  // namespace
}  // namespace halfstep::report
