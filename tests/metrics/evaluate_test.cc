#include "halfstep/metrics/evaluate.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "tests/metrics/row_means.h"
#include "tests/model/small_models.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"

namespace halfstep::metrics {
namespace {

using test::RowMeans;

ImageSource source_of(const Tensor& pixels) {
  return {.count = pixels.size(0),
          .shape = pixels.sizes().slice(1).vec(),
          .batch = 7,
          .read = [pixels](int64_t first, int64_t size) { return pixels.narrow(0, first, size); }};
}

Reference images_of(const Tensor& pixels) {
  return {.name = "reference", .images = source_of(pixels)};
}

FeatureSet set_of(const FeatureNetwork& network, const Tensor& pixels) {
  FeatureSet set(network, /*keep_features=*/true);
  set.add(pixels);
  return set;
}

const std::vector<Metric> kAll = {Metric::frechet, Metric::kid, Metric::inception_score,
                                  Metric::precision_recall};

TEST(EvaluateImages, GivesTheMetricsOfTheirFeatures) {
  const RowMeans network(/*classifies=*/true);
  const Tensor samples = test::random_images(30, 1);
  const EvaluationOptions options{.metrics = kAll};
  const FeatureSet reference =
      reference_features(images_of(test::random_images(40, 2)), network, options);
  const EvaluationResult result = evaluate(source_of(samples), reference, network, options);
  const Evaluation expected = evaluate(set_of(network, samples), reference, options);
  EXPECT_EQ(result.num, 30);
  EXPECT_NEAR(result.frechet.value(), expected.frechet.value(), 1e-9);
  EXPECT_EQ(result.kid, expected.kid->mean);
  EXPECT_EQ(result.kid_std, expected.kid->deviation);
  EXPECT_EQ(result.inception_score, expected.inception_score->mean);
  EXPECT_EQ(result.inception_score_std, expected.inception_score->deviation);
  EXPECT_EQ(result.precision, expected.precision_recall->precision);
  EXPECT_EQ(result.recall, expected.precision_recall->recall);
  EXPECT_TRUE(result.seconds.has_value());
  EXPECT_FALSE(result.sampler || result.steps || result.first_seed);
}

TEST(EvaluateImages, StopsAfterTheChosenNumberAndReportsProgress) {
  const RowMeans network(/*classifies=*/false);
  const FeatureSet reference = set_of(network, test::random_images(40, 2));
  std::vector<int64_t> done;
  const EvaluationContext context{.progress = [&](int64_t images, int64_t count) {
    EXPECT_EQ(count, 20);
    done.push_back(images);
  }};
  const EvaluationResult result =
      evaluate(source_of(test::random_images(30, 1)), reference, network, {.num = 20}, context);
  EXPECT_EQ(result.num, 20);
  EXPECT_EQ(done, (std::vector<int64_t>{7, 14, 20}));
}

TEST(EvaluateImages, TakesARandomSubsetOfALargerSet) {
  const RowMeans network(/*classifies=*/false);
  const FeatureSet reference = set_of(network, test::random_images(40, 2));
  const ImageSource samples = source_of(test::random_images(30, 1));
  const EvaluationResult some = evaluate(samples, reference, network, {.num = 20, .first_seed = 7});
  const EvaluationResult expected = evaluate(random_subset(samples, 20, 7), reference, network, {});
  EXPECT_EQ(some.frechet, expected.frechet);
  EXPECT_EQ(some.chosen_from, 30);
  EXPECT_EQ(some.subset_seed, 7U);
  EXPECT_FALSE(expected.chosen_from || expected.subset_seed);
  EXPECT_NE(evaluate(samples, reference, network, {.num = 20}).frechet, some.frechet);
}

TEST(EvaluateImages, NamesTheDistanceAfterTheImagesThatThereWere) {
  const RowMeans network(/*classifies=*/false, 1, 4, /*defines_fid=*/true);
  const FeatureSet reference = set_of(network, test::random_images(40, 2));
  const ImageSource samples = source_of(test::random_images(30, 1));
  EXPECT_EQ(evaluate(samples, reference, network, {.num = 50'000}).frechet_name, "FD-rows");
}

TEST(EvaluateImages, CountsTheSamplesOfTheirOwnClass) {
  const RowMeans network(/*classifies=*/true);  // class 0: the first row is the brighter one
  const FeatureSet reference(set_of(network, test::random_images(40, 2)).moments());
  const Tensor pixels = test::random_images(30, 1);
  const Tensor classes = network(pixels).logits.argmax(1);
  const Tensor labels = at::where(at::arange(30).lt(6), 1 - classes, classes);
  ImageSource samples = source_of(pixels);
  samples.num_classes = 2;
  samples.labels = [&](int64_t first, int64_t size) { return labels.narrow(0, first, size); };
  const EvaluationOptions options{.metrics = {Metric::agreement}, .num = 30};
  EXPECT_EQ(evaluate(samples, reference, network, options).agreement, 0.8);
  samples.labels = [&](int64_t first, int64_t size) { return classes.narrow(0, first, size); };
  const EvaluationOptions some{.metrics = {Metric::agreement}, .num = 11, .first_seed = 3};
  EXPECT_EQ(evaluate(samples, reference, network, some).agreement, 1.0);
}

TEST(EvaluateImages, MomentsSufficeAsAReference) {
  const RowMeans network(/*classifies=*/false);
  const FeatureSet images = set_of(network, test::random_images(40, 2));
  const FeatureSet moments =
      reference_features({.name = "m.npz", .moments = images.moments()}, network, {});
  const ImageSource samples = source_of(test::random_images(30, 1));
  EXPECT_EQ(evaluate(samples, moments, network, {}).frechet,
            evaluate(samples, images, network, {}).frechet);
}

TEST(EvaluateImages, RefusesAnotherShapeBeforeItReadsAnImage) {
  const RowMeans network(/*classifies=*/false);
  const FeatureSet reference =
      reference_features(images_of(test::random_images(9, 2)), network, {});
  const ImageSource samples{.count = 9, .shape = {1, 4, 5}};  // reading it would throw
  test::expect_throws<ConfigError>({"[samples]", "[1, 4, 4]", "[1, 4, 5]"},
                                   [&] { evaluate(samples, reference, network, {}); });
  test::expect_throws<ConfigError>({"[evaluate] num", "at least 2", "1"},
                                   [&] { evaluate(samples, reference, network, {.num = 1}); });
}

TEST(RequireSamples, FindsBeforeTheWorkWhatWouldFailAfterIt) {
  const RowMeans plain(/*classifies=*/false);
  const RowMeans classifier(/*classifies=*/true);
  const Reference images = images_of(test::random_images(40, 2));
  const auto check = [&](const RowMeans& network, int64_t count, std::vector<int64_t> shape,
                         std::vector<Metric> metrics) {
    require_samples("s", count, shape, images, network, {.metrics = std::move(metrics)});
  };
  const std::vector<int64_t> shape = {1, 4, 4};
  EXPECT_NO_THROW(check(classifier, 10, shape, kAll));
  test::expect_throws<ConfigError>({"[is]", "classifier", "rows"},
                                   [&] { check(plain, 10, shape, {Metric::inception_score}); });
  test::expect_throws<ConfigError>({"[agreement]", "classifier", "rows"},
                                   [&] { check(plain, 10, shape, {Metric::agreement}); });
  test::expect_throws<ConfigError>({"[s]", "at least 2", "1"},
                                   [&] { check(plain, 1, shape, {Metric::frechet}); });
  test::expect_throws<ConfigError>({"[s]", "at least 4", "3"},
                                   [&] { check(plain, 3, shape, {Metric::precision_recall}); });
  test::expect_throws<ConfigError>({"[s]", "at least 10", "9"},
                                   [&] { check(classifier, 9, shape, {Metric::inception_score}); });
  test::expect_throws<ConfigError>({"[s]", "[1, 4, 4]", "[1, 8, 8]", "--image-size"}, [&] {
    check(plain, 9, {1, 8, 8}, {Metric::frechet});
  });
  test::expect_throws<ConfigError>({"[s]", "1 channels", "[3, 4, 4]"}, [&] {
    check(plain, 9, {3, 4, 4}, {Metric::frechet});
  });
}

TEST(RequireClasses, RefusesSamplesOfOtherOrNoClasses) {
  const RowMeans classifier(/*classifies=*/true);  // into 2 classes
  const EvaluationOptions options{.metrics = {Metric::frechet, Metric::agreement}};
  EXPECT_NO_THROW(require_classes("s", 2, classifier, options));
  EXPECT_NO_THROW(require_classes("s", std::nullopt, classifier, options));
  EXPECT_NO_THROW(require_classes("s", 3, classifier, {}));
  test::expect_throws<ConfigError>({"[s]", "2 classes", "rows", "3 classes"},
                                   [&] { require_classes("s", 3, classifier, options); });
  test::expect_throws<ConfigError>({"[s]", "samples without classes"},
                                   [&] { require_classes("s", 0, classifier, options); });
  const FeatureSet reference = set_of(classifier, test::random_images(9, 2));
  test::expect_throws<ConfigError>({"[samples]", "samples without classes"}, [&] {
    evaluate(ImageSource{.count = 9, .shape = {1, 4, 4}}, reference, classifier, options);
  });
}

TEST(DifferenceOfClasses, NamesAClassThatOneSideLacks) {
  Reference reference = images_of(test::random_images(2, 2));
  const auto difference = [&](std::vector<std::string> of_model,
                              std::vector<std::string> of_reference) {
    reference.images->class_names = std::move(of_reference);
    return difference_of_classes({.class_names = std::move(of_model)}, reference);
  };
  EXPECT_EQ(difference({"cat", "dog"}, {"dog", "cat"}), "");
  EXPECT_EQ(difference({"cat", "dog"}, {}), "");
  EXPECT_EQ(difference({}, {"cat", "dog"}), "");
  EXPECT_EQ(difference({"cat", "dog"}, {"cat", "ship"}),
            "the model has a class \"dog\", which reference lacks");
  EXPECT_EQ(difference({"cat", "dog"}, {"cat", "dog", "ship"}),
            "reference has a class \"ship\", which the model lacks");
}

TEST(EvaluateModel, DrawsTheImagesOfTheSeedsAndSaysHow) {
  const Model model = test::small_model(3);
  const RowMeans network(/*classifies=*/false, /*channels=*/3, /*rows=*/8);
  const GenerateOptions sampling{
      .num_steps = 2, .sampler = Sampler::heun, .guidance = 2.0, .batch = 4};
  const Samples drawn = generate(model, {5, 6, 7, 8, 9, 10}, sampling);
  const FeatureSet reference = set_of(network, drawn.images.flip({2}));
  const EvaluationOptions options{.num = 6, .first_seed = 5};
  const EvaluationResult result = evaluate(model, sampling, reference, network, options);
  const EvaluationResult expected = evaluate(source_of(drawn.images), reference, network, options);
  EXPECT_EQ(result.num, 6);
  EXPECT_NEAR(result.frechet.value(), expected.frechet.value(), 1e-6);
  EXPECT_EQ(result.steps, 2);
  EXPECT_EQ(result.evaluations, 6) << "3 calls of Heun's method, each with and without the class";
  EXPECT_EQ(result.sampler, Sampler::heun);
  EXPECT_EQ(result.spacing, Spacing::time);
  EXPECT_EQ(result.guidance, 2.0);
  EXPECT_FALSE(result.variance.has_value());
  EXPECT_EQ(result.made_for_steps, 0);
  EXPECT_EQ(result.first_seed, 5U);
}

TEST(EvaluateModel, RefusesOptionsThatDoNotFit) {
  const Model model = test::small_model();
  const RowMeans network(/*classifies=*/false, /*channels=*/3, /*rows=*/8);
  const FeatureSet reference(Moments{});
  EXPECT_THROW(evaluate(model, {}, reference, network, {}), ConfigError);  // no steps
}

TEST(EvaluateImages, RankZeroGetsTheMetricsOfOneProcess) {
  REQUIRE_GLOO();
  const RowMeans network(/*classifies=*/false);
  const ImageSource samples = source_of(test::random_images(31, 1));
  const Reference images = images_of(test::random_images(40, 2));
  const EvaluationOptions options{.metrics = {Metric::frechet, Metric::kid}};
  const EvaluationResult alone =
      evaluate(samples, reference_features(images, network, options), network, options);
  test::run_ranks(2, [&](parallel::ProcessGroup& group) {
    const EvaluationContext context{.group = &group};
    const FeatureSet reference = reference_features(images, network, options, context);
    const EvaluationResult result = evaluate(samples, reference, network, options, context);
    EXPECT_EQ(result.num, group.is_rank_zero() ? 31 : 0);
    EXPECT_EQ(result.frechet, group.is_rank_zero() ? alone.frechet : std::nullopt);
    EXPECT_EQ(result.kid, group.is_rank_zero() ? alone.kid : std::nullopt);
  });
}

}  // namespace
}  // namespace halfstep::metrics
