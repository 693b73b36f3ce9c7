// U-Nets that are conditioned on an image.
#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <memory>

#include "halfstep/core/error.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/nn/unet.h"
#include "halfstep/nn/unet2d_options.h"
#include "tests/nn/small_networks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

UNetOptions options_with_condition() {
  UNetOptions options = test::small_unet();
  options.condition_ch = 2;
  return options;
}

Condition condition_of(const Tensor& image) { return {.tensors = {{kConditionImage, image}}}; }

Tensor random_condition(int64_t batch) {
  const UNetOptions options = options_with_condition();
  return at::randn({batch, options.condition_ch, options.image_size, options.image_size});
}

TEST(UNetCondition, BeginsAsTheNetworkWithoutIt) {
  const auto plain = test::random_unet(test::small_unet());
  UNet network(options_with_condition());
  network.initialize(3);
  start_from_parameters(*plain, network);
  const Tensor z = test::random_z(test::small_unet(), 3);
  const Tensor phi = test::spread_angles(3);
  EXPECT_TENSOR_CLOSE(network.forward(z, phi, condition_of(random_condition(3))),
                      plain->forward(z, phi, {}));
}

TEST(UNetCondition, BeginsAsTheNullClassOfANetworkWithClasses) {
  UNetOptions with_classes = test::small_unet();
  with_classes.num_classes = 4;
  const auto classes = test::random_unet(with_classes);
  UNet network(options_with_condition());
  network.initialize(3);
  start_from_parameters(*classes, network);
  const Tensor z = test::random_z(test::small_unet(), 3);
  const Tensor phi = test::spread_angles(3);
  EXPECT_TENSOR_CLOSE(network.forward(z, phi, {}), classes->forward(z, phi, {}));
}

TEST(UNetCondition, IsAnInputOfEachExample) {
  const at::NoGradGuard no_grad;
  const auto network = test::random_unet(options_with_condition());
  const Tensor z = test::random_z(test::small_unet(), 3);
  const Tensor phi = test::spread_angles(3);
  const Tensor image = random_condition(3);
  const Tensor raw = network->forward(z, phi, condition_of(image));
  for (int64_t i = 0; i < 3; ++i) {
    EXPECT_TENSOR_CLOSE(network->forward(z.narrow(0, i, 1), phi.narrow(0, i, 1),
                                         condition_of(image.narrow(0, i, 1))),
                        raw.narrow(0, i, 1));
  }
  EXPECT_GT((network->forward(z, phi, condition_of(image + 1.0)) - raw).abs().max().item<double>(),
            0.01);
  EXPECT_TRUE(at::equal(network->clone()->forward(z, phi, condition_of(image)), raw));
  EXPECT_TRUE(at::equal(network->forward(z, phi, {}),
                        network->forward(z, phi, condition_of(at::zeros_like(image)))));
}

TEST(UNetCondition, RefusesWhatItDoesNotTake) {
  const auto network = test::random_unet(options_with_condition());
  const Tensor z = test::random_z(test::small_unet(), 2);
  const Tensor phi = test::spread_angles(2);
  test::expect_throws<ConfigError>({"UNet", "condition", "[2, 2, 8, 8]", "[3, 2, 8, 8]"}, [&] {
    network->forward(z, phi, condition_of(random_condition(3)));
  });
  test::expect_throws<ConfigError>({"UNet", "no such input", "the tensor depth"}, [&] {
    network->forward(z, phi, {.tensors = {{"depth", random_condition(2)}}});
  });
  const auto plain = test::random_unet(test::small_unet());
  test::expect_throws<ConfigError>({"UNet", "labels only", "the tensor condition"}, [&] {
    plain->forward(z, phi, condition_of(random_condition(2)));
  });
}

TEST(UNetCondition, IsAnOptionOfBothKinds) {
  UNet2dOptions options = test::small_unet2d();
  const auto parameters_of = [&] {
    return count_parameters(UNet(plan_of(options, CosineSchedule{})));
  };
  const int64_t before = parameters_of();
  options.condition_ch = 2;
  EXPECT_EQ(parameters_of() - before, 2 * 9 * options.block_out_channels.front());
  options.condition_ch = -1;
  test::expect_throws<ConfigError>({"condition_ch", "-1"}, [&] { validate(options); });
}

}  // namespace
}  // namespace halfstep
