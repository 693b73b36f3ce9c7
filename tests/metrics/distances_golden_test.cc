// Compares with pytorch-fid and torch-fidelity on the same features, subsets and permutations
// (tests/metrics/make_distances.py).
#include <gtest/gtest.h>

#include "halfstep/io/safetensors.h"
#include "halfstep/metrics/frechet.h"
#include "halfstep/metrics/inception_score.h"
#include "halfstep/metrics/kernel_distance.h"
#include "halfstep/metrics/precision_recall.h"
#include "halfstep/model/tensor_io.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

// The packages compute in float64 as well, but partly average in float32.
constexpr double kRelative = 1e-6;

class Distances : public ::testing::Test {
 protected:
  Tensor at(const std::string& key) const { return to_tensor(file_.at(key)); }
  double number(const std::string& key, int64_t i = 0) const {
    return at(key).flatten()[i].item<double>();
  }
  Moments moments(const std::string& key) const {
    MomentsSum sum(at(key).size(1));
    sum.add(at(key));
    return sum.moments();
  }

 private:
  io::SafetensorsFile file_{test::golden_folder() / "metrics_distances.safetensors"};
};

void expect_relative(double actual, double expected) {
  EXPECT_NEAR(actual, expected, kRelative * std::abs(expected));
}

TEST_F(Distances, MomentsMatchNumPy) {
  EXPECT_TENSOR_CLOSE(moments("x").mean, at("x_mu"));
  EXPECT_TENSOR_CLOSE(moments("x").covariance, at("x_sigma"));
}

TEST_F(Distances, FrechetMatchesBothPackages) {
  const double distance = frechet_distance(moments("x"), moments("y"));
  expect_relative(distance, number("frechet_pytorch_fid"));
  expect_relative(distance, number("frechet_torch_fidelity"));
}

TEST_F(Distances, KernelDistanceMatchesTorchFidelity) {
  const Tensor x = at("kid_x");
  const Tensor y = at("kid_y");
  std::vector<SubsetPair> subsets;
  subsets.reserve(static_cast<size_t>(x.size(0)));
  for (int64_t i = 0; i < x.size(0); ++i) subsets.push_back({.x = x[i], .y = y[i]});
  const MeanDeviation distance = kernel_distance(at("x"), at("y"), subsets);
  expect_relative(distance.mean, number("kid", 0));
  expect_relative(distance.deviation, number("kid", 1));
}

TEST_F(Distances, InceptionScoreMatchesTorchFidelity) {
  const MeanDeviation score = inception_score(at("logits"), at("is_order"), /*splits=*/5);
  expect_relative(score.mean, number("is", 0));
  expect_relative(score.deviation, number("is", 1));
}

TEST_F(Distances, PrecisionAndRecallMatchTorchFidelity) {
  const PrecisionRecall found = precision_recall(at("x"), at("y"));
  expect_relative(found.precision, number("pr", 0));
  expect_relative(found.recall, number("pr", 1));
}

}  // namespace
}  // namespace halfstep::metrics
