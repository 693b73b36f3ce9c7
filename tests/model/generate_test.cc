#include "halfstep/model/generate.h"

#include <gtest/gtest.h>

#include <numeric>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/guidance.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"

namespace halfstep {
namespace {

using test::expect_throws;

std::vector<uint64_t> first_seeds(size_t count) {
  std::vector<uint64_t> seeds(count);
  std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  return seeds;
}

GenerateOptions steps(int64_t num_steps) {
  GenerateOptions options;
  options.num_steps = num_steps;
  return options;
}

void expect_refused(const GenerateOptions& options, const ModelSpec& spec,
                    std::initializer_list<std::string_view> words) {
  expect_throws<ConfigError>(words, [&] { validate(options, spec); });
}

TEST(Generate, NoiseOfASeedDoesNotDependOnTheOthers) {
  const ModelSpec spec = test::small_model().spec();
  const Tensor together = noise_of_seeds(spec, {3, 1000, 18446744073709551615u, 3});
  EXPECT_EQ(together.sizes(), at::IntArrayRef({4, 3, 8, 8}));
  EXPECT_TRUE(at::equal(together.narrow(0, 1, 1), noise_of_seeds(spec, {1000})));
  EXPECT_TRUE(at::equal(together.narrow(0, 2, 1), noise_of_seeds(spec, {18446744073709551615u})));
  EXPECT_TRUE(at::equal(together[0], together[3]));
  EXPECT_FALSE(at::equal(together[0], together[1]));
}

TEST(Generate, LabelOfASeedDoesNotDependOnTheOthers) {
  const ModelSpec spec = test::small_model(10).spec();
  const std::vector<uint64_t> seeds = first_seeds(200);
  const Tensor together = labels_of_seeds(spec, seeds);
  for (const uint64_t seed : seeds) {
    EXPECT_EQ(labels_of_seeds(spec, {seed}).item<int64_t>(),
              together[static_cast<int64_t>(seed)].item<int64_t>());
  }
  EXPECT_EQ(together.min().item<int64_t>(), 0);
  EXPECT_EQ(together.max().item<int64_t>(), 9);
}

TEST(Generate, OtherThanOneOrThreeChannelsAreNumbersThatAreNeverClipped) {
  UNetOptions options = test::tiny_unet();
  options.in_channels = options.out_channels = 4;
  const Model model({.network = options}, test::random_unet(options, 1));
  const Samples samples = generate(model, first_seeds(4), steps(2));
  EXPECT_EQ(samples.images.scalar_type(), at::kFloat);
  EXPECT_EQ(samples.images.sizes(), at::IntArrayRef({4, 4, 8, 8}));
  EXPECT_GT(samples.images.abs().max().item<float>(), 1.0);
  EXPECT_FALSE(sample_options({}, model.spec()).clip_x);
}

TEST(Generate, ImagesOfASeedAreAtMostOneLevelApartForAnyBatch) {
  const Model model = test::small_model(4);
  const std::vector<uint64_t> seeds = first_seeds(64);
  for (const Sampler sampler : {Sampler::ddim, Sampler::ancestral}) {
    GenerateOptions options = steps(3);
    options.sampler = sampler;
    options.batch = 64;
    const Samples at_once = generate(model, seeds, options);
    options.batch = 1;
    const Samples one_by_one = generate(model, first_seeds(12), options);
    options.batch = 7;  // does not divide 64
    const Samples by_sevens = generate(model, seeds, options);
    const auto levels_apart = [](const Tensor& a, const Tensor& b) {
      return (a.to(at::kInt) - b.to(at::kInt)).abs().max().item<int64_t>();
    };
    EXPECT_LE(levels_apart(one_by_one.images, at_once.images.narrow(0, 0, 12)), 1);
    EXPECT_LE(levels_apart(by_sevens.images, at_once.images), 1);
    EXPECT_TRUE(at::equal(by_sevens.labels, at_once.labels));
    EXPECT_GT(at_once.images.to(at::kFloat).std().item<double>(), 10.0);  // not all of one colour
  }
}

TEST(Generate, ImagesAreBytesOfTheModelsShape) {
  const Model model = test::small_model();
  const Samples samples = generate(model, {5, 6, 7}, steps(1));
  EXPECT_EQ(samples.images.sizes(), at::IntArrayRef({3, 3, 8, 8}));
  EXPECT_EQ(samples.images.scalar_type(), at::kByte);
  EXPECT_FALSE(samples.labels.defined());
}

TEST(Generate, GivenNoiseReplacesThatOfTheSeeds) {
  const Model model = test::small_model();
  const Tensor noise = noise_of_seeds(model.spec(), {8, 9});
  const Samples of_noise = generate(model, {0, 1}, steps(2), noise);
  EXPECT_TRUE(at::equal(of_noise.images, generate(model, {8, 9}, steps(2)).images));
  EXPECT_THROW(generate(model, {0, 1, 2}, steps(2), noise), ConfigError);
}

TEST(Generate, ClassIsTheRequestedOne) {
  const Model model = test::small_model(4);
  GenerateOptions options = steps(2);
  options.class_label = 2;
  const Samples chosen = generate(model, first_seeds(3), options);
  EXPECT_TRUE(at::equal(chosen.labels, at::full({3}, 2, at::kLong)));
  options.class_label = kNullLabel;
  const Samples null = generate(model, first_seeds(3), options);
  EXPECT_TRUE(at::equal(null.labels, at::full({3}, kNullLabel, at::kLong)));
  EXPECT_FALSE(at::equal(null.images, chosen.images));
}

TEST(Generate, EachSeedCanHaveItsOwnClass) {
  const Model model = test::small_model(4);
  GenerateOptions options = steps(2);
  const Samples drawn = generate(model, first_seeds(3), options);
  options.class_labels.assign(drawn.labels.data_ptr<int64_t>(),
                              drawn.labels.data_ptr<int64_t>() + 3);
  EXPECT_TRUE(at::equal(generate(model, first_seeds(3), options).images, drawn.images));
  options.class_labels = {3, kNullLabel, 0};
  EXPECT_TRUE(at::equal(generate(model, first_seeds(3), options).labels,
                        at::tensor({3, -1, 0}, at::kLong)));
  expect_throws<ConfigError>({"class_labels", "each of 2 seeds", "received 3"},
                             [&] { generate(model, first_seeds(2), options); });
  options.class_label = 1;
  expect_refused(options, model.spec(), {"class_labels", "expected none"});
  options = steps(2);
  options.class_labels = {0, 4};
  expect_refused(options, model.spec(), {"class", "0 to 3", "4"});
}

TEST(Generate, GuidanceDefaultsToOneAndOthersChangeTheImages) {
  const Model model = test::small_model(4);
  GenerateOptions options = steps(2);
  const Tensor plain = generate(model, first_seeds(3), options).images;
  options.guidance = 1.0;
  EXPECT_TRUE(at::equal(generate(model, first_seeds(3), options).images, plain));
  options.guidance = 3.0;
  EXPECT_FALSE(at::equal(generate(model, first_seeds(3), options).images, plain));
  EXPECT_EQ(calls_per_prediction(options, model.spec()), 2);
  EXPECT_EQ(calls_per_prediction({}, model.spec()), 1);
}

TEST(Generate, GuidanceZeroIsNoClass) {
  const Model model = test::small_model(4);
  GenerateOptions options = steps(2);
  options.class_label = kNullLabel;
  const Tensor null = generate(model, first_seeds(3), options).images;
  options.class_label = 1;
  options.guidance = 0.0;
  EXPECT_TRUE(at::equal(generate(model, first_seeds(3), options).images, null));
}

TEST(Generate, ProgressCountsImages) {
  std::vector<int64_t> done;
  GenerateOptions options = steps(1);
  options.batch = 2;
  generate(test::small_model(), first_seeds(5), options, {},
           [&](int64_t images) { done.push_back(images); });
  EXPECT_EQ(done, (std::vector<int64_t>{2, 4, 5}));
}

TEST(Generate, TeacherNeedsANumberOfSteps) {
  const ModelSpec teacher = test::small_model().spec();
  expect_refused({}, teacher, {"steps", "teacher"});
  expect_refused(steps(0), teacher, {"steps", "1 to", "0"});
  expect_refused(steps(1'000'000'000'000), teacher, {"steps", "1 to 1000000", "1000000000000"});
  EXPECT_NO_THROW(validate(steps(1000), teacher));
}

TEST(Generate, DistilledModelSamplesAtItsOwnSteps) {
  const Model model =
      test::with_spec(test::small_model(), [](ModelSpec& spec) { spec.sampling.num_steps = 4; });
  EXPECT_NO_THROW(validate(GenerateOptions{}, model.spec()));
  EXPECT_NO_THROW(validate(steps(4), model.spec()));
  expect_refused(steps(8), model.spec(), {"steps", "expected 4", "received 8"});
  GenerateOptions spaced;
  spaced.spacing = Spacing::logsnr;
  expect_refused(spaced, model.spec(), {"spacing", "expected time", "logsnr"});
  GenerateOptions forced = steps(8);
  forced.spacing = Spacing::logsnr;
  forced.force_steps = true;
  EXPECT_NO_THROW(validate(forced, model.spec()));
  EXPECT_TRUE(at::equal(generate(model, {1}, {}).images, generate(model, {1}, steps(4)).images));
}

TEST(Generate, SamplerAndVarianceDefaultToThoseOfTheModel) {
  const Model model = test::with_spec(test::small_model(), [](ModelSpec& spec) {
    spec.sampling = {.num_steps = 4, .sampler = Sampler::ancestral, .variance = 0.0};
  });
  const SampleOptions own = sample_options({}, model.spec());
  EXPECT_EQ(own.sampler, Sampler::ancestral);
  EXPECT_EQ(own.variance, 0.0);
  const GenerateOptions same{.sampler = Sampler::ancestral, .variance = 0.0};
  const Tensor images = generate(model, {1, 2}, {}).images;
  EXPECT_TRUE(at::equal(generate(model, {1, 2}, same).images, images));
  EXPECT_FALSE(at::equal(generate(model, {1, 2}, {.sampler = Sampler::ddim}).images, images));
  EXPECT_FALSE(at::equal(generate(model, {1, 2}, {.variance = 1.0}).images, images));
}

TEST(Generate, GuidanceStaysInTheModelsRange) {
  ModelSpec spec = test::small_model(4).spec();
  GenerateOptions options = steps(1);
  spec.sampling.guidance_min = 1.0;
  spec.sampling.guidance_max = 5.0;
  for (const double w : {1.0, 3.0, 5.0}) {
    options.guidance = w;
    EXPECT_NO_THROW(validate(options, spec));
  }
  for (const double w : {0.5, 5.5}) {
    options.guidance = w;
    expect_refused(options, spec, {"guidance", "from 1 to 5", "received " + text_of_guidance(w)});
  }
}

TEST(Generate, GuidanceOfADistilledModelIsPartOfItsWeights) {
  const Model plain = test::small_model(4);
  const Model model = test::with_spec(plain, [](ModelSpec& spec) {
    spec.sampling.guidance_min = spec.sampling.guidance_max = 2.0;
    spec.has_null_class = false;
  });
  GenerateOptions options = steps(2);
  EXPECT_EQ(guidance_of(options, model.spec()), 2.0);
  EXPECT_EQ(calls_per_prediction(options, model.spec()), 1);
  const Tensor images = generate(model, first_seeds(3), options).images;
  EXPECT_TRUE(at::equal(images, generate(plain, first_seeds(3), options).images));
  options.guidance = 2.0;
  EXPECT_TRUE(at::equal(generate(model, first_seeds(3), options).images, images));
  for (const double w : {1.0, 3.0}) {
    options.guidance = w;
    expect_refused(options, model.spec(), {"guidance", "expected 2", "distilled"});
  }
}

TEST(Generate, GuidanceCanBeAnInputOfTheNetwork) {
  UNetOptions options = test::small_unet();
  options.num_classes = 4;
  options.guidance_ch = 16;
  const Model model({.network = options, .sampling = {.guidance_min = 1.5, .guidance_max = 4.0}},
                    test::random_unet(options));
  validate(model.spec());
  GenerateOptions own = steps(2);
  EXPECT_EQ(guidance_of(own, model.spec()), 1.5);  // the nearest to off
  GenerateOptions more = steps(2);
  more.guidance = 4.0;
  EXPECT_EQ(calls_per_prediction(more, model.spec()), 1);
  const Tensor images = generate(model, first_seeds(3), own).images;
  EXPECT_FALSE(at::equal(generate(model, first_seeds(3), more).images, images));
  own.guidance = 1.5;
  EXPECT_TRUE(at::equal(generate(model, first_seeds(3), own).images, images));
  own.guidance = 1.0;
  expect_refused(own, model.spec(), {"guidance", "1.5 to 4", "received 1"});
}

TEST(Generate, UnknownClassesAreRefused) {
  ModelSpec spec = test::small_model(4).spec();
  GenerateOptions options = steps(1);
  for (const int64_t wrong : {-2, 4}) {
    options.class_label = wrong;
    expect_refused(options, spec, {"class", "0 to 3", std::to_string(wrong)});
  }
  options.class_label = kNullLabel;
  spec.has_null_class = false;
  expect_refused(options, spec, {"class", "0 to 3", "null class"});
  const ModelSpec unconditional = test::small_model().spec();
  expect_refused(options, unconditional, {"class", "no classes"});
  options.class_label = 0;
  expect_refused(options, unconditional, {"class", "no classes"});
}

TEST(Generate, GuidanceNeedsANullClass) {
  ModelSpec spec = test::small_model(4).spec();
  GenerateOptions options = steps(1);
  options.guidance = 2.0;
  EXPECT_NO_THROW(validate(options, spec));
  spec.has_null_class = false;
  expect_refused(options, spec, {"guidance", "null class"});
}

TEST(Generate, BatchIsAtLeastOne) {
  GenerateOptions options = steps(1);
  options.batch = 0;
  expect_refused(options, test::small_model().spec(), {"batch", "1 to"});
}

}  // namespace
}  // namespace halfstep
