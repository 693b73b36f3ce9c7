#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "halfstep/core/error.h"
#include "halfstep/metrics/class_agreement.h"
#include "halfstep/metrics/frechet.h"
#include "halfstep/metrics/inception_score.h"
#include "halfstep/metrics/kernel_distance.h"
#include "halfstep/metrics/precision_recall.h"
#include "halfstep/metrics/random_order.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

const auto kFloat64 = at::TensorOptions().dtype(at::kDouble);

Moments moments_of(const Tensor& features) {
  MomentsSum sum(features.size(1));
  sum.add(features);
  return sum.moments();
}

TEST(Frechet, IsZeroBetweenASetAndItself) {
  const Moments a = moments_of(test::random_normal({64, 16}, 1));
  EXPECT_NEAR(frechet_distance(a, a), 0.0, 1e-12 * a.covariance.trace().item<double>() * 16);
}

TEST(Frechet, IsASumOverAxesForDiagonalCovariances) {
  const Tensor mean_a = at::tensor({0.0, 1.0, -2.0}, kFloat64);
  const Tensor mean_b = at::tensor({3.0, 1.0, -1.0}, kFloat64);
  const Moments a{.mean = mean_a, .covariance = at::tensor({1.0, 4.0, 9.0}, kFloat64).diag()};
  const Moments b{.mean = mean_b, .covariance = at::tensor({4.0, 4.0, 1.0}, kFloat64).diag()};
  // sum of (mean difference)^2 + (difference of standard deviations)^2
  EXPECT_NEAR(frechet_distance(a, b), (9.0 + 1.0) + (1.0 + 0.0 + 4.0), 1e-12);
}

TEST(Frechet, IsSymmetricEvenForSingularCovariances) {
  const Moments few = moments_of(test::random_normal({5, 16}, 1));  // rank 4
  const Moments many = moments_of(test::random_normal({80, 16}, 2));
  const double distance = frechet_distance(few, many);
  EXPECT_GT(distance, 0.0);
  EXPECT_NEAR(distance, frechet_distance(many, few), 1e-6 * distance);
}

TEST(Frechet, RejectsMomentsOfAnotherSize) {
  const Moments a = moments_of(test::random_normal({8, 4}, 1));
  const Moments b = moments_of(test::random_normal({8, 5}, 1));
  EXPECT_THROW(frechet_distance(a, b), ConfigError);
}

TEST(KernelDistance, DiscrepancyIsTheSumOverPairs) {
  const Tensor x = test::random_normal({5, 3}, 1).to(at::kDouble);
  const Tensor y = test::random_normal({5, 3}, 2).to(at::kDouble);
  const auto kernel = [](const Tensor& a, const Tensor& b) {
    return std::pow(a.dot(b).item<double>() / 3.0 + 1.0, 3.0);
  };
  double expected = 0.0;
  for (int64_t i = 0; i < 5; ++i) {
    for (int64_t j = 0; j < 5; ++j) {
      if (i != j) expected += (kernel(x[i], x[j]) + kernel(y[i], y[j])) / 20.0;
      expected -= 2.0 * kernel(x[i], y[j]) / 25.0;
    }
  }
  EXPECT_NEAR(squared_discrepancy(x, y), expected, 1e-12);
}

TEST(KernelDistance, SubsetsDifferAndRepeatNoRow) {
  const auto subsets = random_subsets(50, 70, {.subsets = 8, .size = 30, .seed = 3});
  ASSERT_EQ(subsets.size(), 8U);
  std::set<std::vector<int64_t>> all;
  for (const SubsetPair& subset : subsets) {
    for (const auto& [rows, size] : {std::pair{subset.x, 50}, std::pair{subset.y, 70}}) {
      const int64_t* values = rows.const_data_ptr<int64_t>();
      const std::set<int64_t> distinct(values, values + rows.numel());
      EXPECT_EQ(distinct.size(), 30U);
      EXPECT_GE(*distinct.begin(), 0);
      EXPECT_LT(*distinct.rbegin(), size);
      all.insert(std::vector<int64_t>(values, values + rows.numel()));
    }
  }
  EXPECT_EQ(all.size(), 16U);
  test::expect_throws<ConfigError>({"random_subsets", "20", "30"},
                                   [] { random_subsets(20, 70, {.size = 30}); });
}

TEST(InceptionScore, IsOneForUniformAndTheNumberOfClassesForCertainPredictions) {
  const Tensor order = random_order(40, 0, 0, 40);
  EXPECT_NEAR(inception_score(at::ones({40, 10}), order, 2).mean, 1.0, 1e-12);
  const Tensor sure = at::eye(10).repeat({4, 1}) * 100.0;
  EXPECT_NEAR(inception_score(sure, at::arange(40), 4).mean, 10.0, 1e-9);
}

TEST(InceptionScore, RejectsMorePartsThanImages) {
  EXPECT_THROW(inception_score(at::ones({4, 10}), at::arange(4), 5), ConfigError);
}

TEST(ClassAgreement, IsTheFractionOfImagesOfTheirOwnClass) {
  const Tensor logits = at::eye(4).repeat({5, 1});  // classifies images as 0, 1, 2, 3, 0, 1, ...
  const Tensor classes = at::arange(20).remainder(4);
  EXPECT_EQ(class_agreement(logits, classes), 1.0);
  EXPECT_EQ(class_agreement(logits, classes.flip({0})), 0.0);
  EXPECT_EQ(class_agreement(logits, at::full({20}, 3)), 0.25);
  EXPECT_EQ(class_agreement(-logits, classes), 0.0);
}

TEST(ClassAgreement, RejectsLabelsThatTheClassifierDoesNotHave) {
  const Tensor logits = at::ones({3, 4});
  for (const int64_t label : {4, -1}) {
    const Tensor labels = at::tensor({int64_t{0}, int64_t{3}, label});
    test::expect_throws<ConfigError>({"[agreement]", "0 to 3", std::to_string(label)},
                                     [&] { class_agreement(logits, labels); });
  }
  EXPECT_THROW(class_agreement(logits, at::zeros({2}, at::kLong)), Error);
}

TEST(PrecisionRecall, AreOneBetweenASetAndItself) {
  const Tensor x = test::random_normal({50, 4}, 1);
  const PrecisionRecall found = precision_recall(x, x);
  EXPECT_EQ(found.precision, 1.0);
  EXPECT_EQ(found.recall, 1.0);
}

TEST(PrecisionRecall, ACollapsedSetHasHighPrecisionAndLowRecall) {
  // The reference is 0, 1, ..., 99 on a line; the samples are ten points close to its middle.
  const Tensor reference = at::arange(100, at::kFloat).unsqueeze(1);
  const Tensor samples = (50.0 + at::arange(10, at::kFloat) / 100.0).unsqueeze(1);
  const PrecisionRecall found = precision_recall(samples, reference, /*k=*/3);
  EXPECT_EQ(found.precision, 1.0);
  EXPECT_EQ(found.recall, 0.01);  // 50 alone is within a sample's ball
  EXPECT_EQ(precision_recall(samples + 1000.0, reference, 3).precision, 0.0);
}

TEST(PrecisionRecall, RejectsSetsOfKImages) {
  EXPECT_THROW(precision_recall(at::ones({3, 2}), at::ones({9, 2}), 3), ConfigError);
}

}  // namespace
}  // namespace halfstep::metrics
