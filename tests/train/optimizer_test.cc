#include "halfstep/train/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "halfstep/core/error.h"
#include "tests/nn/small_networks.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"
#include "tests/train/vector_network.h"

namespace halfstep {
namespace {

using test::random_normal;
using test::VectorNetwork;

VectorNetwork vectors() {
  return VectorNetwork({{"first", random_normal({5}, 1, at::kFloat)},
                        {"second", random_normal({3, 4}, 2, at::kFloat)},
                        {"kernel", random_normal({2, 3, 3, 3}, 3, at::kFloat)}});
}

void set_gradient(const Network& network, uint64_t seed) {
  for (const NamedTensor& parameter : network.parameters()) {
    Tensor(parameter.tensor)
        .mutable_grad()
        .copy_(random_normal(parameter.tensor.sizes(), ++seed, at::kFloat));
  }
}

std::vector<Tensor> copies(const std::vector<NamedTensor>& parameters) {
  std::vector<Tensor> result;
  result.reserve(parameters.size());
  for (const NamedTensor& parameter : parameters)
    result.push_back(parameter.tensor.detach().clone());
  return result;
}

bool same(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (!at::equal(a[i], b[i])) return false;
  }
  return a.size() == b.size();
}

TEST(Optimizer, ConstructionChangesNoValue) {
  const auto network = test::random_unet(test::small_unet());
  const auto copy = network->clone();
  const Tensor z = test::random_z(test::small_unet(), 2);
  const Tensor before = network->forward(z, test::spread_angles(2), {});
  const Optimizer optimizer(*network, {});
  EXPECT_TRUE(test::same_parameters(*network, *copy));
  EXPECT_TENSOR_CLOSE(network->forward(z, test::spread_angles(2), {}), before);
}

TEST(Optimizer, ParametersAndGradientsAreViewsOfOneVectorEach) {
  VectorNetwork network = vectors();
  const Optimizer optimizer(network, {});
  const Tensor& all = optimizer.state().parameters;
  const Tensor& first = network.parameters().front().tensor;
  for (const NamedTensor& parameter : network.parameters()) {
    EXPECT_TRUE(parameter.tensor.is_alias_of(all)) << parameter.name;
    EXPECT_TRUE(parameter.tensor.grad().is_alias_of(first.grad())) << parameter.name;
    EXPECT_TRUE(parameter.tensor.requires_grad());
  }
}

TEST(Optimizer, EmaWarmupRaisesTheDecayToItsValue) {
  VectorNetwork network = vectors();
  Optimizer optimizer(network, {.ema_decay = 0.3, .ema_warmup = true});
  for (int64_t t = 0; t < 5; ++t) {
    const Tensor before = optimizer.state().ema.clone();
    set_gradient(network, static_cast<uint64_t>(t));
    optimizer.step(0.1);
    const auto rising = static_cast<double>(1 + t) / static_cast<double>(10 + t);
    const double decay = t == 0 ? 0.0 : std::min(0.3, rising);  // 2/11, 3/12, 0.3, 0.3
    EXPECT_TENSOR_CLOSE(optimizer.state().ema,
                        decay * before + (1.0 - decay) * optimizer.state().parameters);
  }
}

TEST(Optimizer, BackwardAddsIntoTheGradientVector) {
  VectorNetwork network = vectors();
  Optimizer optimizer(network, {});
  const Tensor& first = network.parameters().front().tensor;
  const void* memory = first.grad().data_ptr();
  const Tensor z = at::full({2}, 3.0);
  network.forward(z, {}, {}).sum().backward();  // d/dp = 6
  network.forward(z, {}, {}).sum().backward();
  EXPECT_EQ(first.grad().data_ptr(), memory);
  EXPECT_TRUE(at::equal(first.grad(), at::full({5}, 12.0)));
  EXPECT_NEAR(optimizer.step(0.0).grad_norm, 12.0 * std::sqrt(5.0), test::kFloat32Tolerance);
  EXPECT_EQ(first.grad().data_ptr(), memory);
  EXPECT_TRUE(at::equal(first.grad(), at::zeros({5})));
}

TEST(Optimizer, StepUpdatesTheCopyOfABFloat16Network) {
  const auto network = test::random_unet(test::tiny_unet());
  network->set_precision(Precision::bf16);
  Optimizer optimizer(*network, {});
  const Tensor z = test::random_z(test::tiny_unet(), 2);
  const auto run = [&] {
    const at::NoGradGuard no_grad;
    return network->forward(z, test::spread_angles(2), {});
  };
  const Tensor before = run();
  network->forward(z, test::spread_angles(2), {}).square().mean().backward();
  optimizer.step(0.1);
  EXPECT_FALSE(at::equal(run(), before));
  const auto copy = network->clone();
  EXPECT_TRUE(at::equal(copy->forward(z, test::spread_angles(2), {}), run()));
}

TEST(Optimizer, StepLowersTheLoss) {
  const auto network = test::random_unet(test::tiny_unet());
  Optimizer optimizer(*network, {});
  const Tensor z = test::random_z(test::tiny_unet(), 2);
  const auto loss = [&] { return network->forward(z, test::spread_angles(2), {}).square().mean(); };
  const Tensor before = loss();
  before.backward();
  const Optimizer::Step step = optimizer.step(1e-3);
  EXPECT_FALSE(step.skipped);
  EXPECT_GT(step.grad_norm, 0.0);
  EXPECT_LT(loss().item<double>(), before.item<double>());
}

// The first Adam update is -lr g / (|g| + epsilon'), so about -lr times the sign of the gradient.
TEST(Optimizer, FirstUpdateIsTheLearningRateTimesTheSign) {
  VectorNetwork network = vectors();
  const std::vector<Tensor> before = copies(network.parameters());
  Optimizer optimizer(network, {.grad_clip = 0.0});
  set_gradient(network, 10);
  std::vector<Tensor> signs;
  signs.reserve(before.size());
  for (const NamedTensor& parameter : network.parameters())
    signs.push_back(parameter.tensor.grad().sign());
  optimizer.step(0.01);
  for (size_t i = 0; i < before.size(); ++i)
    EXPECT_TENSOR_CLOSE(network.parameters()[i].tensor, before[i] - 0.01 * signs[i]);
}

TEST(Optimizer, WeightDecayIsDecoupled) {
  VectorNetwork network = vectors();
  const std::vector<Tensor> before = copies(network.parameters());
  Optimizer optimizer(network, {.weight_decay = 0.5});
  optimizer.step(0.1);  // the gradient is zero: weight decay only
  for (size_t i = 0; i < before.size(); ++i) {
    EXPECT_TENSOR_CLOSE(network.parameters()[i].tensor, before[i] * (1.0 - 0.1 * 0.5));
  }
}

TEST(Optimizer, GradientsBelowTheClippingNormAreUnchanged) {
  VectorNetwork clipped = vectors();
  VectorNetwork plain = vectors();
  Optimizer with(clipped, {.grad_clip = 1e3});
  Optimizer without(plain, {.grad_clip = 0.0});
  set_gradient(clipped, 10);
  set_gradient(plain, 10);
  with.step(0.01);
  without.step(0.01);
  EXPECT_TRUE(same(copies(clipped.parameters()), copies(plain.parameters())));
  EXPECT_TRUE(at::equal(with.state().first_moment, without.state().first_moment));
}

TEST(Optimizer, LargeGradientsAreClippedToTheNorm) {
  VectorNetwork network = vectors();
  Optimizer optimizer(network, {.grad_clip = 0.5});
  set_gradient(network, 10);
  const Optimizer::Step step = optimizer.step(0.01);
  EXPECT_GT(step.grad_norm, 0.5);
  // After one update, the first moment is 0.1 times the clipped gradient.
  EXPECT_NEAR(optimizer.state().first_moment.norm().item<double>(), 0.1 * 0.5,
              test::kFloat32Tolerance);
}

TEST(Optimizer, NonFiniteGradientsChangeOnlyTheCount) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    VectorNetwork network = vectors();
    Optimizer optimizer(network, {.weight_decay = 0.1, .ema_decay = 0.9});
    set_gradient(network, 10);
    optimizer.step(0.01);
    const std::vector<Tensor> before = copies(network.parameters());
    const std::vector<Tensor> average = copies(optimizer.averaged());
    const Tensor moment = optimizer.state().second_moment.clone();
    Tensor(network.parameters()[1].tensor).mutable_grad()[0][0] = bad;
    EXPECT_TRUE(optimizer.step(0.01).skipped);
    EXPECT_TRUE(at::equal(network.parameters()[1].tensor.grad(), at::zeros({3, 4})));
    EXPECT_TRUE(same(copies(network.parameters()), before));
    EXPECT_TRUE(same(copies(optimizer.averaged()), average));
    EXPECT_TRUE(at::equal(optimizer.state().second_moment, moment));
    EXPECT_EQ(optimizer.state().updates, 2);
    EXPECT_EQ(optimizer.state().adam_updates, 1);
  }
}

TEST(Optimizer, EmaStartsAsACopyOfTheParameters) {
  VectorNetwork network = vectors();
  Optimizer optimizer(network, {.ema_decay = 0.75});
  set_gradient(network, 10);
  optimizer.step(0.1);
  const std::vector<Tensor> first = copies(network.parameters());
  EXPECT_TRUE(same(copies(optimizer.averaged()), first));
  optimizer.step(0.1);
  const std::vector<NamedTensor> averaged = optimizer.averaged();
  for (size_t i = 0; i < first.size(); ++i) {
    EXPECT_EQ(averaged[i].name, network.parameters()[i].name);
    EXPECT_TENSOR_CLOSE(averaged[i].tensor,
                        0.75 * first[i] + 0.25 * network.parameters()[i].tensor);
  }
}

TEST(Optimizer, WithoutEmaTheParametersAreSaved) {
  VectorNetwork network = vectors();
  Optimizer optimizer(network, {});
  set_gradient(network, 10);
  optimizer.step(0.1);
  EXPECT_TRUE(same(copies(optimizer.averaged()), copies(network.parameters())));
  EXPECT_FALSE(optimizer.state().ema.defined());
}

TEST(Optimizer, RestoredStateContinuesBitForBit) {
  const OptimizerOptions options{.weight_decay = 0.01, .ema_decay = 0.9};
  VectorNetwork network = vectors();
  Optimizer optimizer(network, options);
  set_gradient(network, 10);
  optimizer.step(0.01);
  OptimizerState saved = optimizer.state();
  saved.parameters = saved.parameters.clone();
  saved.first_moment = saved.first_moment.clone();
  saved.second_moment = saved.second_moment.clone();
  saved.ema = saved.ema.clone();

  VectorNetwork resumed = vectors();
  Optimizer other(resumed, options);
  other.restore(saved);
  EXPECT_TRUE(same(copies(resumed.parameters()), copies(network.parameters())));
  set_gradient(network, 20);
  set_gradient(resumed, 20);
  optimizer.step(0.01);
  other.step(0.01);
  EXPECT_TRUE(same(copies(resumed.parameters()), copies(network.parameters())));
  EXPECT_TRUE(same(copies(other.averaged()), copies(optimizer.averaged())));
  EXPECT_EQ(other.state().adam_updates, 2);
}

TEST(Optimizer, RestoreRejectsTheStateOfAnotherNetwork) {
  VectorNetwork network = vectors();
  Optimizer optimizer(network, {});
  OptimizerState state = optimizer.state();
  state.first_moment = at::zeros({3});
  EXPECT_THROW(optimizer.restore(state), ConfigError);
  Optimizer averaging(network, {.ema_decay = 0.9});
  EXPECT_THROW(averaging.restore(optimizer.state()), ConfigError);  // the state has no EMA
}

}  // namespace
}  // namespace halfstep
