// Updates and sampling as graphs give what their operators give. As in device_test.cc, the device
// is one without hardware unless HALFSTEP_TEST_DEVICE names another.
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "halfstep/device/device_graph.h"
#include "halfstep/model/generate.h"
#include "tests/device/fake_graph.h"
#include "tests/device/first_stage.h"
#include "tests/device/test_device.h"
#include "tests/device/without_graphs.h"
#include "tests/model/small_models.h"
#include "tests/nn/small_networks.h"
#include "tests/support/tolerance.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

using test::graph_replays;
using test::test_device;
using test::WithoutGraphs;

// Makes updates of a run's first stage and returns everything that they changed.
std::vector<Tensor> after_updates(const RunOptions& options, uint64_t updates) {
  test::FirstStage stage(options, test_device());
  std::vector<Tensor> results;
  for (uint64_t update = 0; update < updates; ++update) {
    const UpdateReport report = stage.make_update(update);
    results.push_back(at::tensor({report.loss, report.grad_norm}, at::kDouble));
  }
  for (const TrainedNetwork& trained : stage.method().trained()) {
    const OptimizerState& state = trained.optimizer->state();
    for (const Tensor& tensor : {state.parameters, state.first_moment, state.second_moment})
      results.push_back(tensor.cpu());
  }
  return results;
}

// Calls `compute` and expects it to replay graphs: so many where they are counted.
template <class Compute>
auto with_graphs(int64_t replays, const Compute& compute) {
  EXPECT_EQ(runs_graphs(test_device()), !test_device().is_cpu());
  const int64_t before = graph_replays();
  auto results = compute();
  if (test_device().is_privateuseone()) {
    EXPECT_EQ(graph_replays() - before, replays);
  }
  return results;
}

// Expects the same updates from graphs and from their operators. On a GPU, not all operators give
// the same bits twice.
void expect_same_updates(const RunOptions& options, uint64_t updates, int64_t replays) {
  const std::vector<Tensor> results =
      with_graphs(replays, [&] { return after_updates(options, updates); });
  const WithoutGraphs off;
  const std::vector<Tensor> expected = after_updates(options, updates);
  if (test_device().is_privateuseone()) {
    for (size_t i = 0; i < expected.size(); ++i)
      EXPECT_TRUE(at::equal(results[i], expected[i])) << i;
    return;
  }
  for (size_t i = 0; i < updates; ++i)
    EXPECT_TENSOR_NEAR(results[i], expected[i], 1e-3 * test::scale_of(expected[i]));
}

TEST(DeviceGraphs, OfUpdatesHaveTheBitsOfTheirOperators) {
  expect_same_updates(test::small_training(), 5, 3);  // with dropout
  expect_same_updates(test::small_distillation(), 5, 3);
  expect_same_updates(test::small_guidance(), 5, 3);
  expect_same_updates(test::small_guidance_range(), 5, 3);
  expect_same_updates(test::small_refinement(), 5, 3);
  // The first 20 updates move the auxiliary network alone, without graphs.
  expect_same_updates(test::small_matching(), 24, 2);
}

TEST(DeviceGraphs, OfMicrobatchesWithCheckpointingHaveTheBitsOfTheirOperators) {
  RunOptions options = test::small_training();
  options.update.microbatch = 3;  // and 1
  options.update.activation_checkpointing = true;
  expect_same_updates(options, 5, 6);
}

// Networks whose weights have other forms, which each update builds anew.
TEST(DeviceGraphs, OfLargerNetworksHaveTheBitsOfTheirOperators) {
  RunOptions options = test::small_training();
  UNetOptions official = test::small_unet();
  official.in_channels = official.out_channels = 1;
  UNet2dOptions of_diffusers = test::small_unet2d();
  of_diffusers.in_channels = of_diffusers.out_channels = 1;
  of_diffusers.num_classes = 0;
  for (const PrecisionChoice precision : {PrecisionChoice::fp32, PrecisionChoice::bf16}) {
    options.update.precision = precision;
    options.model.network = official;
    expect_same_updates(options, 5, 3);
    options.model.network = of_diffusers;
    expect_same_updates(options, 5, 3);
  }
}

TEST(DeviceGraphs, OfSamplingHaveTheBitsOfTheirOperators) {
  for (const Sampler sampler :
       {Sampler::ddim, Sampler::ancestral, Sampler::heun, Sampler::dpmpp_2m}) {
    for (const double guidance : {1.0, 2.5}) {
      const GenerateOptions options{
          .num_steps = 5, .sampler = sampler, .guidance = guidance, .batch = 2};
      const auto drawn = [&] {
        const Model model = test::small_model(/*num_classes=*/3).on(test_device(), Precision::fp32);
        return generate(model, {5, 6, 7}, options).images.to(at::kInt);
      };
      // One graph for a batch of two images and one for that of one; with guidance, as many more
      // for calls without a class.
      const int64_t graphs = guidance == 1.0 ? 2 : 4;
      const Tensor images =
          with_graphs(graphs * (network_calls(sampler, 5) - DeviceGraph::kWarmUps), drawn);
      const WithoutGraphs off;
      EXPECT_LE((images - drawn()).abs().max().item<int>(),
                test_device().is_privateuseone() ? 0 : 1)
          << static_cast<int>(sampler) << " " << guidance;
    }
  }
}

}  // namespace
}  // namespace halfstep
