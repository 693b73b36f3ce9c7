#include "halfstep/metrics/evaluation.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/metrics/frechet.h"
#include "halfstep/metrics/shared_features.h"
#include "tests/parallel/together.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

// Features: the mean of each row of pixels. Logits, if any: those of the first two rows.
class RowMeans final : public FeatureNetwork {
 public:
  explicit RowMeans(bool classifies) {
    spec_ = {.name = "rows", .num_features = 4, .num_logits = classifies ? 2 : 0, .in_channels = 1};
  }
  const FeatureSpec& spec() const override { return spec_; }
  Features operator()(const Tensor& images) const override {
    const Tensor features = images_for(*this, images).to(at::kFloat).mean({1, 3});
    return {.features = features,
            .logits = spec_.num_logits > 0 ? features.narrow(1, 0, 2) : Tensor()};
  }
  void to(const at::Device&) override {}

 private:
  FeatureSpec spec_;
};

Tensor images(int64_t count, uint64_t seed) {
  return (test::random_normal({count, 1, 4, 4}, seed) * 40.0 + 128.0)
      .clamp(0.0, 255.0)
      .to(at::kByte);
}

FeatureSet set_of(const FeatureNetwork& network, const Tensor& pixels, bool keep = true) {
  FeatureSet set(network, keep);
  for (const Tensor& batch : pixels.split(7)) set.add(batch);
  return set;
}

const std::vector<Metric> kAll = {Metric::frechet, Metric::kid, Metric::inception_score,
                                  Metric::precision_recall};

TEST(Evaluate, MeasuresWhatWasAskedForAndNothingElse) {
  const RowMeans network(/*classifies=*/true);
  const FeatureSet samples = set_of(network, images(30, 1));
  const FeatureSet reference = set_of(network, images(40, 2));
  const Evaluation all = evaluate(samples, reference, {.metrics = kAll});
  EXPECT_EQ(all.frechet, frechet_distance(samples.moments(), reference.moments()));
  EXPECT_TRUE(all.kid && all.inception_score && all.precision_recall);
  const Evaluation one = evaluate(samples, reference, {.metrics = {Metric::kid}});
  EXPECT_EQ(one.kid->mean, all.kid->mean);
  EXPECT_FALSE(one.frechet || one.inception_score || one.precision_recall);
}

TEST(Evaluate, MomentsAloneGiveTheSameFrechetDistance) {
  const RowMeans network(false);
  const FeatureSet samples = set_of(network, images(30, 1), /*keep=*/false);
  const FeatureSet reference = set_of(network, images(40, 2));
  EXPECT_EQ(evaluate(samples, FeatureSet(reference.moments()), {}).frechet,
            evaluate(samples, reference, {}).frechet);
}

TEST(Evaluate, NamesTheMetricThatLacksSomething) {
  const RowMeans network(false);
  const FeatureSet samples = set_of(network, images(30, 1));
  const FeatureSet moments(samples.moments());
  for (const Metric metric : {Metric::kid, Metric::precision_recall}) {
    test::expect_throws<ConfigError>({name_of(metric), "reference", "moments"},
                                     [&] { evaluate(samples, moments, {.metrics = {metric}}); });
  }
  test::expect_throws<ConfigError>({"is", "classifier"}, [&] {
    evaluate(samples, samples, {.metrics = {Metric::inception_score}});
  });
}

TEST(Evaluate, TheNameFidIsForInceptionAndFiftyThousandImages) {
  EXPECT_EQ(frechet_name({.name = "Inception"}, 50'000), "FID");
  EXPECT_EQ(frechet_name({.name = "Inception"}, 10'000), "FD-Inception");
  EXPECT_EQ(frechet_name({.name = "ResNet20-CIFAR10"}, 50'000), "FD-ResNet20-CIFAR10");
}

TEST(Evaluate, FewImagesAreFewerThanFourAFeature) {
  EXPECT_TRUE(too_few_images(255, 64));
  EXPECT_FALSE(too_few_images(256, 64));
  EXPECT_FALSE(too_few_images(0, 64));  // moments from a file do not say
}

TEST(SharedFeatures, TheRootHasTheFeaturesOfOneProcess) {
  REQUIRE_GLOO();
  const RowMeans network(/*classifies=*/true);
  const Tensor pixels = images(31, 1);  // 5 batches, the last smaller, for 3 processes
  const FeatureSet alone = set_of(network, pixels);
  const auto read = [&](int64_t first, int64_t size) { return pixels.narrow(0, first, size); };
  test::together(3, [&](ProcessGroup& group) {
    int64_t told = 0;
    const FeatureSet set =
        features_of(group, network, /*keep_features=*/true, {.count = 31, .batch = 7, .read = read},
                    [&](int64_t done) { told = done; });
    EXPECT_EQ(set.count(), group.is_root() ? 31 : 0);
    EXPECT_EQ(told, group.is_root() ? 31 : 0);
    if (!group.is_root()) return;
    EXPECT_TRUE(at::equal(set.features(), alone.features()));
    EXPECT_TRUE(at::equal(set.logits(), alone.logits()));
    EXPECT_TRUE(at::equal(set.moments().covariance, alone.moments().covariance));
  });
}

}  // namespace
}  // namespace halfstep
