#include "halfstep/metrics/evaluation.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/metrics/extract_features.h"
#include "halfstep/metrics/frechet.h"
#include "tests/metrics/row_means.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

FeatureSet set_of(const FeatureNetwork& network, const Tensor& pixels, bool keep = true) {
  FeatureSet set(network, keep);
  for (const Tensor& batch : pixels.split(7)) set.add(batch);
  return set;
}

const std::vector<Metric> kAll = {Metric::frechet, Metric::kid, Metric::inception_score,
                                  Metric::precision_recall};

TEST(Evaluation, ComputesTheChosenMetricsOnly) {
  const test::RowMeans network(/*classifies=*/true);
  const FeatureSet samples = set_of(network, test::random_images(30, 1));
  const FeatureSet reference = set_of(network, test::random_images(40, 2));
  const Evaluation all = evaluate(samples, reference, {.metrics = kAll});
  EXPECT_EQ(all.frechet, frechet_distance(samples.moments(), reference.moments()));
  EXPECT_TRUE(all.kid && all.inception_score && all.precision_recall);
  const Evaluation one = evaluate(samples, reference, {.metrics = {Metric::kid}});
  EXPECT_EQ(one.kid->mean, all.kid->mean);
  EXPECT_FALSE(one.frechet || one.inception_score || one.precision_recall);
}

TEST(Evaluation, MomentsAloneGiveTheSameFrechetDistance) {
  const test::RowMeans network(false);
  const FeatureSet samples = set_of(network, test::random_images(30, 1), /*keep=*/false);
  const FeatureSet reference = set_of(network, test::random_images(40, 2));
  EXPECT_EQ(evaluate(samples, FeatureSet(reference.moments()), {}).frechet,
            evaluate(samples, reference, {}).frechet);
}

TEST(Evaluation, NamesTheMetricWhoseInputIsMissing) {
  const test::RowMeans network(false);
  const FeatureSet samples = set_of(network, test::random_images(30, 1));
  const FeatureSet moments(samples.moments());
  for (const Metric metric : {Metric::kid, Metric::precision_recall}) {
    test::expect_throws<ConfigError>({name_of(metric), "reference", "moments"},
                                     [&] { evaluate(samples, moments, {.metrics = {metric}}); });
  }
  test::expect_throws<ConfigError>({"agreement", "classes", "none"}, [&] {
    evaluate(samples, samples, {.metrics = {Metric::agreement}});
  });
  test::expect_throws<ConfigError>({"is", "classifier"}, [&] {
    evaluate(samples, samples, {.metrics = {Metric::inception_score}});
  });
}

TEST(Evaluation, IsCalledFidForInceptionAndFiftyThousandImagesOnly) {
  const FeatureSpec inception{.name = "Inception", .defines_fid = true};
  EXPECT_EQ(frechet_name(inception, 50'000, 50'000), "FID");
  EXPECT_EQ(frechet_name(inception, 50'000, 0), "FID") << "moments of published statistics";
  EXPECT_EQ(frechet_name(inception, 50'000, 9'999), "FD-Inception");
  EXPECT_EQ(frechet_name(inception, 49'999, 50'000), "FD-Inception");
  EXPECT_EQ(frechet_name({.name = "Inception"}, 50'000, 50'000), "FD-Inception")
      << "a file of that name";
  EXPECT_EQ(frechet_name({.name = "ResNet20-CIFAR10"}, 50'000, 0), "FD-ResNet20-CIFAR10");
}

TEST(Evaluation, TooFewImagesAreFewerThanFourPerFeature) {
  EXPECT_TRUE(too_few_images(255, 64));
  EXPECT_FALSE(too_few_images(256, 64));
  EXPECT_FALSE(too_few_images(0, 64));  // unknown: moments from a file
}

TEST(ExtractFeatures, RankZeroGetsTheFeaturesOfOneProcess) {
  REQUIRE_GLOO();
  const test::RowMeans network(/*classifies=*/true);
  const Tensor pixels = test::random_images(31, 1);  // 5 batches, the last smaller, for 3 processes
  const FeatureSet alone = set_of(network, pixels);
  const auto read = [&](int64_t first, int64_t size) { return pixels.narrow(0, first, size); };
  test::run_ranks(3, [&](parallel::ProcessGroup& group) {
    int64_t reported = 0;
    const FeatureSet set =
        extract_features(group, network, /*keep_features=*/true,
                         {.count = 31, .shape = {1, 4, 4}, .batch = 7, .read = read},
                         [&](int64_t done) { reported = done; });
    EXPECT_EQ(set.count(), group.is_rank_zero() ? 31 : 0);
    EXPECT_EQ(reported, group.is_rank_zero() ? 31 : 0);
    if (!group.is_rank_zero()) return;
    EXPECT_TRUE(at::equal(set.features(), alone.features()));
    EXPECT_TRUE(at::equal(set.logits(), alone.logits()));
    EXPECT_TRUE(at::equal(set.moments().covariance, alone.moments().covariance));
  });
}

}  // namespace
}  // namespace halfstep::metrics
