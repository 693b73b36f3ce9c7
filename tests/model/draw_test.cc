#include "halfstep/model/draw.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"

namespace halfstep {
namespace {

using test::expect_throws;

const std::vector<uint64_t> kSeeds = {3, 1, 4, 1};

std::vector<Draw> draws(std::optional<int64_t> label = std::nullopt,
                        std::optional<double> guidance = std::nullopt) {
  std::vector<Draw> examples;
  for (const uint64_t seed : kSeeds)
    examples.push_back({.seed = seed, .class_label = label, .guidance = guidance});
  return examples;
}

TEST(Draw, IsGenerateWhereAllExamplesAreAlike) {
  const Model model = test::small_model(10);
  for (const Sampler sampler :
       {Sampler::ddim, Sampler::ancestral, Sampler::heun, Sampler::dpmpp_2m}) {
    for (const std::optional<int64_t> label : {std::optional<int64_t>(), {7}, {kNullLabel}}) {
      GenerateOptions options{.num_steps = 3, .sampler = sampler};
      const Samples drawn = draw(model, draws(label), options).value();
      options.class_label = label;
      const Samples generated = generate(model, kSeeds, options);
      EXPECT_TRUE(at::equal(drawn.images, generated.images)) << name_of(sampler);
      EXPECT_TRUE(at::equal(drawn.labels, generated.labels));
    }
  }
}

TEST(Draw, GuidesAsGenerateDoes) {
  const Model model = test::small_model(10);
  const Samples drawn = draw(model, draws(2, 3.5), {.num_steps = 3}).value();
  const Samples generated =
      generate(model, kSeeds, {.num_steps = 3, .class_label = 2, .guidance = 3.5});
  EXPECT_TRUE(at::equal(drawn.images, generated.images));
}

TEST(Draw, EveryExampleHasItsOwnClassAndGuidance) {
  const Model model = test::small_model(10);
  const std::vector<Draw> examples = {{.seed = 1, .class_label = 2, .guidance = 1.0},
                                      {.seed = 1, .class_label = 3, .guidance = 4.0},
                                      {.seed = 9, .class_label = kNullLabel, .guidance = 2.0},
                                      {.seed = 5}};
  const Samples together = draw(model, examples, {.num_steps = 2}).value();
  for (size_t i = 0; i < examples.size(); ++i) {
    const Samples alone = generate(
        model, {examples[i].seed},
        {.num_steps = 2, .class_label = examples[i].class_label, .guidance = examples[i].guidance});
    const Tensor apart =
        together.images[static_cast<int64_t>(i)].to(at::kInt) - alone.images[0].to(at::kInt);
    EXPECT_LE(apart.abs().max().item<int>(), 1) << i;
    EXPECT_TRUE(at::equal(together.labels[static_cast<int64_t>(i)], alone.labels[0]));
  }
}

TEST(Draw, SaysEachStepAndStopsBetweenThem) {
  const Model model = test::small_model();
  for (const Sampler sampler : {Sampler::ddim, Sampler::heun}) {
    const GenerateOptions options{.num_steps = 4, .sampler = sampler};
    std::vector<int64_t> steps;
    const auto on_step = [&](int64_t step) {
      steps.push_back(step);
      return true;
    };
    EXPECT_TRUE(draw(model, draws(), options, on_step));
    EXPECT_EQ(steps, (std::vector<int64_t>{1, 2, 3, 4})) << name_of(sampler);
    EXPECT_FALSE(draw(model, draws(), options, [](int64_t step) { return step < 3; }));
  }
}

TEST(Draw, RefusesWhatGenerateRefuses) {
  const Model model = test::small_model(10);
  expect_throws<ConfigError>({"class: expected 0 to 9"},
                             [&] { (void)draw(model, draws(10), {.num_steps = 2}); });
  expect_throws<ConfigError>({"steps"}, [&] { (void)draw(model, draws(), {}); });
  expect_throws<ConfigError>({"expected an example"},
                             [&] { (void)draw(model, {}, {.num_steps = 2}); });
}

}  // namespace
}  // namespace halfstep
