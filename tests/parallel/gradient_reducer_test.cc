// Compares the updates of two processes with those of one.
#include "halfstep/parallel/gradient_reducer.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>
#include <numeric>
#include <thread>

#include "halfstep/data/loader.h"
#include "halfstep/train/regression.h"
#include "tests/nn/small_networks.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/tolerance.h"
#include "tests/train/small_runs.h"

namespace halfstep::parallel {
namespace {

constexpr int64_t kBatch = 8;

struct Trained {
  std::vector<double> losses;
  Tensor gradient;  // of the first update
  Tensor parameters;
};

Trained train(ProcessGroup& group, int64_t microbatch, int64_t updates) {
  const auto dataset = test::small_dataset();
  const auto network = test::random_unet(test::tiny_unet());
  const Shard shard = shard_of(group, kBatch);
  Regression method(*network, make_objective(FromData{}, {}),
                    {.batch = {.shape = {1, 8, 8}, .seed = 11},
                     .microbatch = microbatch,
                     .optimizer = {.grad_clip = 0.0}});
  if (group.size() > 1) method.reduce_over(group, 2000);
  Trained trained;
  for (int64_t u = 0; u < updates; ++u) {
    const data::ExampleBatch images = data::load_batch(
        *dataset,
        {.batch_size = kBatch, .first = shard.first, .count = shard.count, .random_flip = true},
        static_cast<uint64_t>(u));
    const UpdateReport report = method.update(images, 1e-3);
    EXPECT_FALSE(report.skipped);
    trained.losses.push_back(report.loss);
    if (u == 0) trained.gradient = method.optimizer().state().first_moment / 0.1;
  }
  trained.parameters = method.optimizer().state().parameters.clone();
  return trained;
}

// Trains in one process, in a thread like those of run_ranks(), so that LibTorch uses as many
// threads.
Trained train_alone(int64_t microbatch, int64_t updates) {
  Trained trained;
  std::thread([&] {
    SingleProcess group;
    trained = train(group, microbatch, updates);
  }).join();
  return trained;
}

std::array<Trained, 2> train_two_ranks(int64_t microbatch, int64_t updates) {
  std::array<Trained, 2> trained;
  test::run_ranks(2, [&](ProcessGroup& group) {
    trained[static_cast<size_t>(group.rank())] = train(group, microbatch, updates);
  });
  return trained;
}

TEST(GradientReducer, TwoProcessesGiveTheBitsOfTwoMicrobatches) {
  REQUIRE_GLOO();
  const Trained alone = train_alone(kBatch / 2, 4);
  for (const Trained& process : train_two_ranks(0, 4)) {
    EXPECT_EQ(process.losses, alone.losses);
    EXPECT_TRUE(at::equal(process.gradient, alone.gradient));
    EXPECT_TRUE(at::equal(process.parameters, alone.parameters));
  }
}

// Each rank first adds its own microbatches, which is another order of the same sum.
TEST(GradientReducer, RanksCanUseMicrobatches) {
  REQUIRE_GLOO();
  const Trained alone = train_alone(kBatch / 4, 1);
  const std::array<Trained, 2> two = train_two_ranks(kBatch / 4, 1);
  EXPECT_TENSOR_CLOSE(two[0].gradient, alone.gradient);
  EXPECT_TRUE(at::equal(two[0].parameters, two[1].parameters));
}

TEST(GradientReducer, TwoProcessesAgreeWithTheWholeBatch) {
  REQUIRE_GLOO();
  const Trained whole = train_alone(0, 50);
  const std::array<Trained, 2> two = train_two_ranks(0, 50);
  EXPECT_TENSOR_CLOSE(two[0].gradient, whole.gradient);
  EXPECT_NEAR(two[0].losses.back(), whole.losses.back(), 1e-3 * whole.losses.back());
}

// Records the sums that were started, and whether the backward pass had reached the first layer.
class Recording final : public ProcessGroup {
 public:
  explicit Recording(const Network& network) : network_(network) {}
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 2; }
  std::function<void()> begin_sum(const Tensor& values) override {
    sizes.push_back(values.numel());
    at_end.push_back(network_.parameters().front().tensor.grad().any().item<bool>());
    return [this] { ++waited; };
  }
  void broadcast(const Tensor& /*values*/) override {}
  std::vector<Tensor> gather(const Tensor& /*values*/) override { return {}; }
  void leave() override {}

  std::vector<int64_t> sizes;
  std::vector<bool> at_end;
  size_t waited = 0;

 private:
  const Network& network_;
};

TEST(GradientReducer, BucketsAreSentDuringTheLastBackwardPassAndCoverTheGradient) {
  const auto network = test::random_unet(test::tiny_unet());
  const Optimizer optimizer(*network, {});
  Recording group(*network);
  GradientReducer reducer(group, *network, optimizer.gradient(), 2000);
  const auto pass = [&] {
    const UNetOptions options = test::tiny_unet();
    network->forward(test::random_z(options, 2), test::spread_angles(2), {}).sum().backward();
  };
  pass();
  EXPECT_TRUE(group.sizes.empty());
  optimizer.gradient().zero_();
  reducer.begin();
  pass();
  EXPECT_GE(group.sizes.size(), 3u);
  EXPECT_FALSE(group.at_end.front());
  EXPECT_EQ(reducer.finish(at::scalar_tensor(0.5, at::kDouble)).item<double>(), 0.5);
  ASSERT_EQ(group.sizes.back(), 1);  // the loss
  EXPECT_EQ(std::accumulate(group.sizes.begin(), group.sizes.end(), int64_t{-1}),
            optimizer.gradient().numel());
  EXPECT_EQ(group.waited, group.sizes.size());
}

// The class embedding has no gradient if there are no labels, but is summed nevertheless.
TEST(GradientReducer, ParametersThatAPassDoesNotUseAreSentAtTheEnd) {
  UNetOptions options = test::tiny_unet();
  options.num_classes = 3;
  const auto network = test::random_unet(options);
  const Optimizer optimizer(*network, {});
  Recording group(*network);
  GradientReducer reducer(group, *network, optimizer.gradient(), 2000);
  reducer.begin();
  test::parameter(*network, "conv_out.bias").sum().backward();
  reducer.finish(at::zeros({}, at::kDouble));
  EXPECT_EQ(std::accumulate(group.sizes.begin(), group.sizes.end(), int64_t{-1}),
            optimizer.gradient().numel());
}

}  // namespace
}  // namespace halfstep::parallel
