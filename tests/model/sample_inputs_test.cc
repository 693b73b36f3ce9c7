#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/model/generate.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"

namespace halfstep {
namespace {

using test::expect_throws;

TEST(InputsOfSeeds, AreWhatGenerateStartsFrom) {
  const Model model = test::with_spec(test::small_model(3), [](ModelSpec& spec) {
    spec.sampling = {.num_steps = 3, .sampler = Sampler::ancestral, .variance = 0.5};
  });
  const ModelSpec& spec = model.spec();
  const std::vector<uint64_t> seeds = {7, 0, 1000};
  const SampleInputs inputs = inputs_of_seeds(spec, {}, seeds);
  EXPECT_EQ(inputs.step_noise.sizes(), at::IntArrayRef({2, 3, 3, 8, 8}));
  EXPECT_FALSE(inputs.guidance.defined());
  const at::NoGradGuard no_grad;
  const Tensor x =
      sample(make_denoiser(model.network(), spec.output), inputs.noise,
             sampling_grid(Schedule(spec.schedule), 3), {.labels = inputs.labels},
             sample_options({}, spec), [&](int64_t step) { return inputs.step_noise[3 - step]; });
  const Samples samples = generate(model, seeds, {});
  EXPECT_TRUE(at::equal(to_uint8(x), samples.images));
  EXPECT_TRUE(at::equal(inputs.labels, samples.labels));
}

TEST(InputsOfSeeds, HaveOnlyWhatTheModelTakes) {
  const SampleInputs teacher =
      inputs_of_seeds(test::small_model().spec(), {.num_steps = 2}, {1, 2});
  EXPECT_TRUE(at::equal(teacher.noise, noise_of_seeds(test::small_model().spec(), {1, 2})));
  EXPECT_FALSE(teacher.labels.defined() || teacher.step_noise.defined() ||
               teacher.guidance.defined());
  ModelSpec spec = test::small_model(3).spec();
  test::unet(spec).guidance_ch = 16;
  spec.sampling = {
      .num_steps = 1, .sampler = Sampler::ancestral, .guidance_min = 2.0, .guidance_max = 3.0};
  const SampleInputs one_step = inputs_of_seeds(spec, {.class_label = 1}, {1, 2});
  EXPECT_FALSE(one_step.step_noise.defined()) << "the only step draws no noise";
  EXPECT_TRUE(at::equal(one_step.labels, at::tensor(std::vector<int64_t>{1, 1})));
  EXPECT_TRUE(at::equal(one_step.guidance, at::tensor(std::vector<float>{2.0F, 2.0F})));
  expect_throws<ConfigError>({"steps"},
                             [] { inputs_of_seeds(test::small_model().spec(), {}, {1}); });
}

}  // namespace
}  // namespace halfstep
