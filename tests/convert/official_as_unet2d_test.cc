#include "halfstep/convert/official_as_unet2d.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "halfstep/diffusion/sample.h"
#include "halfstep/nn/network_cost.h"
#include "tests/model/small_models.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

Model model_of(UNetOptions options, const CosineSchedule& schedule) {
  return {{.schedule = schedule, .network = options, .has_null_class = options.num_classes > 1},
          test::random_unet(options)};
}

std::vector<UNetOptions> all_options() {
  UNetOptions plain = test::small_unet();
  UNetOptions bare = test::small_unet();
  bare.resblock_resample = false;
  UNetOptions heads = test::small_unet();
  heads.num_heads = 4;
  heads.num_classes = 3;
  UNetOptions dims = test::small_unet();
  dims.num_heads.reset();
  dims.head_dim = 16;
  dims.emb_ch = 128;
  dims.attn_resolutions = {8, 4};
  return {plain, bare, heads, dims};
}

// Returns the largest difference of the raw outputs at these times, relative to their scale.
double difference(const Model& official, const std::vector<double>& times) {
  const at::NoGradGuard no_grad;
  const Model converted = official_as_unet2d(official);
  const Tensor z = test::random_z(test::unet(official.spec()), 4);
  const Tensor phi = Schedule(official.spec().schedule).phi(test::float64_vector(times));
  Condition condition;
  if (official.spec().has_null_class)
    condition.labels = at::tensor(std::vector<int64_t>{0, 2, kNullLabel, 1});
  const Tensor expected = official.network().forward(z, phi, condition);
  const Tensor got = converted.network().forward(z, phi, condition);
  return (got - expected).abs().max().item<double>() / test::scale_of(expected);
}

TEST(OfficialAsUNet2d, IsTheSameNetworkUnderTheUnclippedSchedule) {
  for (const UNetOptions& options : all_options()) {
    // the arguments of the sines, up to 1000, are rounded by 3e-5 in float32
    EXPECT_LT(difference(model_of(options, {.clip = std::nullopt}), {0.999, 0.75, 0.5, 0.001}),
              1e-4);
  }
}

// The time input differs by up to 0.03 of 1000, and at t = 1 also under the unclipped schedule.
TEST(OfficialAsUNet2d, IsNearUnderTheClippedSchedule) {
  for (const UNetOptions& options : all_options()) {
    EXPECT_LT(difference(model_of(options, CosineSchedule{}), {1.0, 0.75, 0.5, 0.25}), 0.02);
    EXPECT_LT(difference(model_of(options, {.clip = std::nullopt}), {1.0, 1.0, 1.0, 1.0}), 0.02);
  }
}

TEST(OfficialAsUNet2d, TakesTheSameNumberOfOperations) {
  for (const UNetOptions& options : all_options()) {
    const Model official = model_of(options, CosineSchedule{});
    const Model converted = official_as_unet2d(official);
    EXPECT_EQ(network_cost(converted.spec().network).flops,
              network_cost(official.spec().network).flops);
  }
}

}  // namespace
}  // namespace halfstep
