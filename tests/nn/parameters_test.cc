#include "halfstep/nn/parameters.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>

#include "halfstep/core/error.h"
#include "tests/nn/small_networks.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

// Adds a kernel that is large enough for statistics: 36864 values.
constexpr int64_t kFanIn = 9 * 64;
Tensor add_kernel(Parameters& parameters, const std::string& name) {
  return parameters.add(name, {64, 64, 3, 3}, Initializer::lecun_normal, kFanIn);
}

TEST(Parameters, KernelsHaveTheVarianceOneOverFanIn) {
  Parameters parameters;
  const Tensor kernel = add_kernel(parameters, "kernel");
  parameters.initialize(0);
  const Tensor values = kernel.to(at::kDouble);
  const auto n = static_cast<double>(values.numel());
  const double wanted = 1.0 / std::sqrt(static_cast<double>(kFanIn));
  EXPECT_NEAR(values.mean().item<double>(), 0.0, test::kSigmas * wanted / std::sqrt(n));
  // The sample deviation varies at most as much as that of a normal without truncation.
  EXPECT_NEAR(values.std().item<double>(), wanted, test::kSigmas * wanted / std::sqrt(2.0 * n));
}

TEST(Parameters, KernelsAreTruncatedAtTwoSigmaOfTheNormalBefore) {
  Parameters parameters;
  const Tensor kernel = add_kernel(parameters, "kernel");
  parameters.initialize(0);
  const double sigma = 1.0 / std::sqrt(static_cast<double>(kFanIn)) / 0.87962566103423978;
  const double largest = kernel.abs().max().item<double>();
  EXPECT_LE(largest, 2.0 * sigma * (1.0 + test::kFloat32Tolerance));
  EXPECT_GT(largest, 1.99 * sigma);
}

TEST(Parameters, ValuesDependOnSeedAndNameOnly) {
  Parameters alone;
  const Tensor kernel = add_kernel(alone, "b");
  alone.initialize(7);
  Parameters among_others;
  const Tensor other = add_kernel(among_others, "a");
  const Tensor same = add_kernel(among_others, "b");
  among_others.initialize(7);
  EXPECT_TRUE(at::equal(kernel, same));
  EXPECT_FALSE(at::equal(kernel, other));
  const Tensor before = kernel.clone();
  alone.initialize(8);
  EXPECT_FALSE(at::equal(kernel, before));
  alone.initialize(7);
  EXPECT_TRUE(at::equal(kernel, before));
}

TEST(Parameters, ZerosAndOnesFillTheirTensors) {
  Parameters parameters;
  const Tensor zeros = parameters.add("zeros", {3, 4}, Initializer::zeros);
  const Tensor ones = parameters.add("ones", {5}, Initializer::ones);
  parameters.initialize(3);
  EXPECT_TRUE(at::equal(zeros, at::zeros({3, 4})));
  EXPECT_TRUE(at::equal(ones, at::ones({5})));
}

TEST(Parameters, CopyTakesTheValuesAndKeepsTheTensors) {
  const auto from = test::random_unet(test::tiny_unet(), 1);
  const auto to = test::random_unet(test::tiny_unet(), 100);
  const Tensor handle = to->parameters().front().tensor;
  ASSERT_FALSE(test::same_parameters(*from, *to));
  copy_parameters(*from, *to);
  EXPECT_TRUE(test::same_parameters(*from, *to));
  EXPECT_TRUE(at::equal(handle, from->parameters().front().tensor));
  EXPECT_FALSE(handle.is_same(from->parameters().front().tensor));
}

// The convolutions compute with bfloat16 copies, which a write to the parameters does not change.
TEST(ParameterEditor, RebuildsWhatTheNetworkComputesWith) {
  const at::NoGradGuard no_grad;
  const auto network = test::random_unet(test::tiny_unet(), 1);
  const auto other = test::random_unet(test::tiny_unet(), 100);
  const auto output = [](const UNet& unet) {
    return unet.forward(test::random_z(test::tiny_unet(), 2), test::spread_angles(2), {});
  };
  network->set_precision(Precision::bf16);
  other->set_precision(Precision::bf16);
  ASSERT_FALSE(at::equal(output(*network), output(*other)));
  {
    const ParameterEditor editor(*network);
    for (size_t i = 0; i < editor.parameters().size(); ++i)
      editor.parameters()[i].tensor.copy_(other->parameters()[i].tensor);
  }
  EXPECT_TRUE(at::equal(output(*network), output(*other)));
}

TEST(ParameterEditor, WritesInPlaceToParametersThatRequireAGradient) {
  const auto network = test::random_unet(test::tiny_unet());
  const Tensor& first = network->parameters().front().tensor;
  first.requires_grad_();
  ParameterEditor(*network).parameters().front().tensor.zero_();
  EXPECT_TRUE(at::equal(first, at::zeros_like(first)));
  EXPECT_TRUE(first.requires_grad());
}

TEST(Parameters, CopyRefusesAnotherNetworkByName) {
  UNetOptions wider = test::tiny_unet();
  wider.emb_ch = 64;
  UNetOptions deeper = test::tiny_unet();
  deeper.num_res_blocks = 2;
  const UNet tiny(test::tiny_unet());
  UNet wider_network(wider);
  UNet deeper_network(deeper);
  try {
    copy_parameters(tiny, wider_network);
    FAIL() << "copied between different shapes";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("dense0.weight"), std::string::npos) << error.what();
  }
  EXPECT_THROW(copy_parameters(tiny, deeper_network), ConfigError);
}

}  // namespace
}  // namespace halfstep
