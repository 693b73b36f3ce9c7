#include "halfstep/model/model.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/guidance.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::expect_throws;

TEST(MakeDenoiser, RealNetworkWithGuidanceMixesItsTwoOutputs) {
  const at::NoGradGuard no_grad;
  const Model model = test::small_model(4);
  const Tensor z = test::random_z(test::unet(model.spec), 2);
  const Tensor phi = test::spread_angles(2);
  const Condition with{.labels = at::tensor({1, 3}, at::kLong)};
  const Tensor raw = model.network->forward(z, phi, with);
  const Tensor null = model.network->forward(z, phi, {});
  const Prediction wanted = predict(Output::v, null + 2.5 * (raw - null), z, phi);
  const Prediction got =
      make_denoiser(guided(raw_output(*model.network), 2.5), Output::v)(z, phi, with);
  EXPECT_TRUE(at::equal(got.x, wanted.x));
  EXPECT_TRUE(at::equal(got.eps, wanted.eps));
}

TEST(ModelSpec, ContradictionsAreNamed) {
  const ModelSpec good = test::small_model(3).spec;
  EXPECT_NO_THROW(validate(good));

  ModelSpec spec = good;
  spec.output = Output::x_and_eps;
  expect_throws<ConfigError>({"out_channels", "6", "x_and_eps", "3"}, [&] { validate(spec); });
  spec = good;
  spec.class_names = {"only one"};
  expect_throws<ConfigError>({"class_names", "3", "1"}, [&] { validate(spec); });
  spec = good;
  spec.num_steps = -4;
  expect_throws<ConfigError>({"num_steps", "-4"}, [&] { validate(spec); });
  spec = good;
  spec.output = Output::eps;
  spec.schedule = CosineSchedule{.clip = std::nullopt};  // reaches pi/2, where eps says nothing
  EXPECT_THROW(validate(spec), ConfigError);
  spec = good;
  test::unet(spec).ch = 33;
  expect_throws<ConfigError>({"ch:"}, [&] { validate(spec); });
}

}  // namespace
}  // namespace halfstep
