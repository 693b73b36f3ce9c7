// U-Nets that take the guidance weight.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <memory>

#include "halfstep/core/error.h"
#include "halfstep/nn/unet.h"
#include "tests/nn/small_networks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

UNetOptions options_with_guidance() {
  UNetOptions options = test::small_unet();
  options.guidance_ch = 16;
  return options;
}

// Returns the network of options_with_guidance() whose other parameters are those of `plain`.
std::unique_ptr<UNet> guided_copy(const UNet& plain) {
  auto network = std::make_unique<UNet>(options_with_guidance());
  network->initialize(1);
  const ParameterEditor editor(*network);
  for (const auto& [name, tensor] : editor.parameters())
    if (name != "guidance_proj.weight") tensor.copy_(test::parameter(plain, name));
  return network;
}

TEST(UNetGuidance, AFreshProjectionOfGuidanceChangesNothing) {
  const auto plain = test::random_unet(test::small_unet());
  const auto network = guided_copy(*plain);
  const Tensor z = test::random_z(test::small_unet(), 3);
  const Tensor phi = test::spread_angles(3);
  const Tensor w = at::tensor({1.0f, 2.0f, 5.0f});
  EXPECT_TRUE(at::equal(network->forward(z, phi, {.guidance = w}), plain->forward(z, phi, {})));
}

TEST(UNetGuidance, IsAnInputOfEachExample) {
  const at::NoGradGuard no_grad;
  const auto network = test::random_unet(options_with_guidance());
  const Tensor z = test::random_z(test::small_unet(), 3);
  const Tensor phi = test::spread_angles(3);
  const Tensor w = at::tensor({1.0f, 2.0f, 5.0f});
  const Tensor raw = network->forward(z, phi, {.guidance = w});
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TENSOR_CLOSE(
        network->forward(z.narrow(0, i, 1), phi.narrow(0, i, 1), {.guidance = w.narrow(0, i, 1)}),
        raw.narrow(0, i, 1));
  }
  const Tensor other = network->forward(z, phi, {.guidance = w + 1.0});
  EXPECT_GT((other - raw).abs().max().item<double>(), 0.01);
  test::expect_throws<ConfigError>({"UNet", "expected guidance", "none"},
                                   [&] { network->forward(z, phi, {}); });
  EXPECT_THROW(network->forward(z, phi, {.guidance = w.narrow(0, 0, 2)}), ConfigError);
  EXPECT_TRUE(at::equal(network->clone()->forward(z, phi, {.guidance = w}), raw));
}

}  // namespace
}  // namespace halfstep
