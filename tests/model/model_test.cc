#include "halfstep/model/model.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <memory>
#include <thread>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/model/generate.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::expect_throws;

TEST(MakeDenoiser, RealNetworkWithGuidanceMixesItsTwoOutputs) {
  const at::NoGradGuard no_grad;
  const Model model = test::small_model(4);
  const Tensor z = test::random_z(test::unet(model.spec()), 2);
  const Tensor phi = test::spread_angles(2);
  const Condition with{.labels = at::tensor({1, 3}, at::kLong)};
  const Tensor raw = model.network().forward(z, phi, with);
  const Tensor null = model.network().forward(z, phi, {});
  const Prediction wanted = predict(Output::v, null + 2.5 * (raw - null), z, phi);
  const Prediction got =
      make_denoiser(guided(raw_output(model.network()), 2.5), Output::v)(z, phi, with);
  EXPECT_TRUE(at::equal(got.x, wanted.x));
  EXPECT_TRUE(at::equal(got.eps, wanted.eps));
}

TEST(GuidedDenoiser, PredictsWhatASingleStepReturns) {
  const Model model = test::small_model(4);
  GenerateOptions options{.num_steps = 1, .clip_x = false, .class_label = 2, .guidance = 3.0};
  const std::vector<double> grid = sampling_grid(Schedule(model.spec().schedule), 1);
  const at::NoGradGuard no_grad;
  const Tensor x = guided_denoiser(model, 3.0)(noise_of_seeds(model.spec(), {0, 1}),
                                               at::full({2}, grid.back(), at::kDouble),
                                               {.labels = at::full({2}, 2, at::kLong)})
                       .x;
  EXPECT_TRUE(at::equal(to_uint8(x), generate(model, {0, 1}, options).images));
  expect_throws<ConfigError>({"guidance", "finite"}, [&] { guided_denoiser(model, std::nan("")); });
}

TEST(Model, CopiesShareTheNetwork) {
  const Model model = test::small_model();
  const Model copy = model;  // NOLINT(performance-unnecessary-copy-initialization): the subject
  EXPECT_EQ(&copy.network(), &model.network());
  EXPECT_EQ(&copy.spec(), &model.spec());
}

TEST(Model, OnCopiesTheNetworkOnlyIfSomethingDiffers) {
  const Model model = test::small_model();
  EXPECT_EQ(model.precision(), Precision::fp32);
  EXPECT_EQ(model.device(), at::Device(at::kCPU));
  EXPECT_EQ(&model.on(at::kCPU, Precision::fp32).network(), &model.network());
  const Model rounded = model.on(at::kCPU, Precision::bf16);
  EXPECT_NE(&rounded.network(), &model.network());
  EXPECT_EQ(rounded.precision(), Precision::bf16);
  EXPECT_EQ(model.precision(), Precision::fp32);
  EXPECT_TRUE(test::same_parameters(rounded.network(), model.network()));
  EXPECT_EQ(&rounded.on(at::kCPU, Precision::bf16).network(), &rounded.network());
}

TEST(Model, PrecisionIsWhatTheNetworkComputesIn) {
  const Model model = test::small_model();
  const GenerateOptions options{.num_steps = 2};
  const Tensor exact = generate(model, {1, 2}, options).images;
  const Tensor rounded = generate(model.on(at::kCPU, Precision::bf16), {1, 2}, options).images;
  EXPECT_FALSE(at::equal(rounded, exact));
  EXPECT_TRUE(at::equal(generate(model, {1, 2}, options).images, exact));
}

TEST(Model, SeveralThreadsSampleFromOneNetwork) {
  const Model model = test::small_model(4);
  const std::vector<uint64_t> seeds = {1, 2, 3};
  const auto draw = [&seeds](const Model& drawn, Tensor& images) {
    images = generate(drawn, seeds, {.num_steps = 3, .batch = 2}).images;
  };
  Tensor alone;
  std::thread([&] { draw(model, alone); }).join();
  std::array<Tensor, 4> together;
  std::vector<std::thread> threads;
  threads.reserve(together.size());
  for (Tensor& images : together)
    threads.emplace_back([&draw, &images, copy = model] { draw(copy, images); });
  for (std::thread& thread : threads) thread.join();
  for (const Tensor& images : together) EXPECT_TRUE(at::equal(images, alone));
}

TEST(Model, NullNetworkIsRefused) {
  expect_throws<ConfigError>({"network", "null"},
                             [] { Model(test::small_model().spec(), nullptr); });
}

TEST(ModelSpec, InconsistenciesAreNamed) {
  const ModelSpec good = test::small_model(3).spec();
  EXPECT_NO_THROW(validate(good));

  ModelSpec spec = good;
  spec.output = Output::x_and_eps;
  expect_throws<ConfigError>({"out_channels", "6", "x_and_eps", "3"}, [&] { validate(spec); });
  spec = good;
  spec.class_names = {"only one"};
  expect_throws<ConfigError>({"class_names", "3", "1"}, [&] { validate(spec); });
  spec = good;
  spec.sampling.num_steps = -4;
  expect_throws<ConfigError>({"num_steps", "-4"}, [&] { validate(spec); });
  spec = good;
  spec.sampling.variance = 1.5;
  expect_throws<ConfigError>({"variance", "1.5"}, [&] { validate(spec); });
  spec = good;
  spec.sampling.guidance_min = 2.0;
  spec.sampling.guidance_max = 1.0;
  expect_throws<ConfigError>({"guidance_max", "2.0", "1.0"}, [&] { validate(spec); });
  set_guidance_channels(spec.network, 16);
  spec.sampling.guidance_max = 2.0;
  expect_throws<ConfigError>({"guidance_min", "expected a range"}, [&] { validate(spec); });
  spec.sampling.guidance_max = 4.0;
  EXPECT_NO_THROW(validate(spec));
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
