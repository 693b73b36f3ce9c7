#include "halfstep/nn/parameters.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halfstep/core/error.h"
#include "tests/nn/small_networks.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

// A kernel large enough for statistics: 36864 values.
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
  // the deviation of a sample deviation is at most that of an untruncated normal's
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

TEST(Parameters, ZerosAndOnesAreThat) {
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

TEST(Parameters, CopyRefusesAnotherNetworkByName) {
  UNetOptions wider = test::tiny_unet();
  wider.emb_ch = 64;
  UNetOptions deeper = test::tiny_unet();
  deeper.num_res_blocks = 2;
  const UNet tiny(test::tiny_unet());
  try {
    copy_parameters(tiny, UNet(wider));
    FAIL() << "copied between different shapes";
  } catch (const ConfigError& error) {
    EXPECT_NE(std::string(error.what()).find("dense0.weight"), std::string::npos) << error.what();
  }
  EXPECT_THROW(copy_parameters(tiny, UNet(deeper)), ConfigError);
}

}  // namespace
}  // namespace halfstep
