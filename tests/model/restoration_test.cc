// Sampling of models that restore images.
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/model/draw.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/spec_json.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using Kind = ImageCondition::Kind;
using test::expect_throws;

// A model of 3 x 8 x 8 images with random parameters.
Model restorer(const ImageCondition& condition) {
  ModelSpec spec;
  UNetOptions options = test::small_unet();
  options.condition_ch = condition_channels(condition, options.in_channels);
  spec.network = options;
  spec.condition = condition;
  return {spec, test::random_unet(options)};
}

Tensor random_images(int64_t count, int64_t height = 8, int64_t width = 8) {
  return at::randint(0, 256, {count, 3, height, width}, at::TensorOptions().dtype(at::kByte));
}

GenerateOptions restoring(const Model& model, const Tensor& images,
                          const std::vector<uint64_t>& seeds) {
  return {.num_steps = 2, .known = known_for(model.spec(), images, seeds)};
}

const std::vector<uint64_t> kSeeds = {3, 4, 5};

TEST(Restoration, KeepsKnownPixelsBitForBit) {
  const Model model = restorer({.kind = Kind::inpainting});
  const Tensor images = random_images(3);
  const GenerateOptions options = restoring(model, images, kSeeds);
  const Tensor filled = generate(model, kSeeds, options).images;
  const Tensor known = options.known.mask.expand_as(images);
  EXPECT_TRUE(at::equal(filled.masked_select(known), images.masked_select(known)));
  EXPECT_FALSE(at::equal(filled, images));
  // Missing pixels have no influence.
  GenerateOptions other = options;
  other.known.pixels = at::where(known, images, 255 - images);
  EXPECT_TRUE(at::equal(generate(model, kSeeds, other).images, filled));
}

TEST(Restoration, DependsOnWhatIsKnown) {
  for (const ImageCondition condition :
       {ImageCondition{.kind = Kind::super_resolution, .factor = 4}, {.kind = Kind::colour}}) {
    const Model model = restorer(condition);
    const Tensor images = random_images(3);
    const Tensor one = generate(model, kSeeds, restoring(model, images, kSeeds)).images;
    const Tensor other = generate(model, kSeeds, restoring(model, 255 - images, kSeeds)).images;
    EXPECT_FALSE(at::equal(one, other)) << condition.text();
  }
}

TEST(Restoration, IsTheSameInAnyBatchAndInDraw) {
  const Model model = restorer({.kind = Kind::inpainting});
  GenerateOptions options = restoring(model, random_images(3), kSeeds);
  const Tensor together = generate(model, kSeeds, options).images.to(at::kInt);
  options.batch = 1;
  EXPECT_LE(
      (generate(model, kSeeds, options).images.to(at::kInt) - together).abs().max().item<int>(), 1);
  std::vector<Draw> examples;
  for (int64_t i = 0; i < 3; ++i) {
    examples.push_back(
        {.seed = kSeeds[static_cast<size_t>(i)], .known = options.known.narrow(i, 1)});
  }
  const std::optional<Samples> drawn = draw(model, examples, {.num_steps = 2});
  EXPECT_TRUE(at::equal(drawn.value().images.to(at::kInt), together));
}

TEST(Restoration, LargerImagesAreDrawnInTiles) {
  const Model model = restorer({.kind = Kind::inpainting});
  const Tensor images = random_images(1, 8, 21);
  const GenerateOptions options = restoring(model, images, {7});
  const Tensor filled = generate(model, {7}, options).images;
  EXPECT_EQ(filled.sizes(), images.sizes());
  const Tensor known = options.known.mask.expand_as(images);
  EXPECT_TRUE(at::equal(filled.masked_select(known), images.masked_select(known)));
}

TEST(Restoration, HasTheInputsOfOtherPrograms) {
  const Model model = restorer({.kind = Kind::colour});
  const GenerateOptions options = restoring(model, random_images(3), kSeeds);
  const SampleInputs inputs = inputs_of_seeds(model.spec(), options, kSeeds);
  EXPECT_TRUE(at::equal(inputs.condition, condition_tensor(model.spec().condition, options.known)));
  EXPECT_FALSE(
      inputs_of_seeds(test::small_model().spec(), {.num_steps = 1}, {1}).condition.defined());
}

TEST(Restoration, NeedsWhatIsKnownOfEachImage) {
  const Model model = restorer({.kind = Kind::super_resolution, .factor = 2});
  const GenerateOptions options = restoring(model, random_images(3), kSeeds);
  expect_throws<ConfigError>({"super-resolution:2", "expected what is known", "nothing"},
                             [&] { generate(model, kSeeds, {.num_steps = 1}); });
  expect_throws<ConfigError>({"known", "each of 2 seeds", "received 3"}, [&] {
    generate(model, {1, 2}, options);
  });
  expect_throws<ConfigError>({"known", "at least 8 x 8", "received 6 x 8"}, [&] {
    generate(model, {1}, restoring(model, random_images(1, 6, 8), {1}));
  });
  expect_throws<ConfigError>({"known", "restores nothing"},
                             [&] { generate(test::small_model(), kSeeds, options); });
}

TEST(Restoration, IsPartOfTheSpec) {
  const ModelSpec spec = restorer({.kind = Kind::super_resolution, .factor = 4}).spec();
  EXPECT_NO_THROW(validate(spec));
  const nlohmann::json json = to_json(spec);
  EXPECT_EQ(json.at("condition"), "super-resolution:4");
  const ModelSpec read = spec_from_json(json, "spec");
  EXPECT_EQ(read.condition, spec.condition);
  EXPECT_EQ(condition_channels(read.network), 3);
  EXPECT_FALSE(to_json(test::small_model().spec()).contains("condition"));
  EXPECT_FALSE(to_json(test::small_model().spec()).at("network").contains("condition_ch"));
}

TEST(Restoration, SpecsThatContradictThemselvesAreRefused) {
  ModelSpec spec = restorer({.kind = Kind::inpainting}).spec();
  test::unet(spec).condition_ch = 3;
  expect_throws<ConfigError>({"condition_ch", "expected 4", "inpainting", "received 3"},
                             [&] { validate(spec); });
  spec.condition = {.kind = Kind::super_resolution, .factor = 3};
  expect_throws<ConfigError>({"multiples of 3", "8 x 8"}, [&] { validate(spec); });
  spec.condition = {};
  expect_throws<ConfigError>({"condition_ch", "expected 0", "none"}, [&] { validate(spec); });
}

}  // namespace
}  // namespace halfstep
