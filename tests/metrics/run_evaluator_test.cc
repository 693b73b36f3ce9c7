#include "halfstep/metrics/run_evaluator.h"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <numeric>

#include "halfstep/core/error.h"
#include "halfstep/metrics/evaluate.h"
#include "halfstep/metrics/pixel_sums.h"
#include "tests/metrics/feature_file.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep::metrics {
namespace {

constexpr int64_t kNum = 150;  // more than two batches of samples

class RunEvaluatorTest : public testing::Test {
 protected:
  Quality quality_of(const Model& model) {
    evaluator.begin(alone, dataset, model.spec(), kNum, at::kCPU);
    return evaluator.evaluate(model);
  }

  parallel::SingleProcess alone;
  std::shared_ptr<const data::Dataset> dataset = test::small_dataset(40);
  RunEvaluator evaluator{test::kResNet20Cifar10};
  Model student = test::small_init();  // of 2 steps
};

TEST(PixelSums, AreThoseOfTheFormula) {
  PixelSums sums;
  EXPECT_EQ(sums.mean_deviation().deviation, 0.0);
  sums.add(at::full({2, 1, 1, 1}, 255, at::kByte));
  sums.add(at::full({1, 1, 1, 2}, 0, at::kByte));
  EXPECT_DOUBLE_EQ(sums.mean_deviation().mean, 127.5);
  EXPECT_DOUBLE_EQ(sums.mean_deviation().deviation, 127.5);
}

TEST_F(RunEvaluatorTest, FindsWhatEvaluateFindsForTheSameSeeds) {
  const Quality quality = quality_of(student);
  const auto network = load_feature_network(test::kResNet20Cifar10);
  const EvaluationOptions options{.num = kNum, .first_seed = kEvaluationSeed};
  const FeatureSet reference = reference_features(
      {.name = "shades", .images = images_of_dataset(dataset)}, *network, options);
  const EvaluationResult result = metrics::evaluate(student, {}, reference, *network, options);
  EXPECT_EQ(quality.distance, result.frechet);
  EXPECT_EQ(quality.distance_name, result.frechet_name);
  EXPECT_EQ(quality.distance_name, "FD-ResNet20-CIFAR10");
  std::vector<uint64_t> seeds(kNum);
  std::iota(seeds.begin(), seeds.end(), kEvaluationSeed);
  const Tensor samples = generate(student, seeds, {}).images.to(at::kDouble);
  EXPECT_NEAR(quality.pixel_mean, samples.mean().item<double>(), 1e-9);
  EXPECT_NEAR(quality.pixel_deviation, samples.std(false).item<double>(), 1e-9);
  const Tensor data = images_of_dataset(dataset).read(0, 40).to(at::kDouble);
  EXPECT_NEAR(quality.data_mean, data.mean().item<double>(), 1e-9);
  EXPECT_NEAR(quality.data_deviation, data.std(false).item<double>(), 1e-9);
}

TEST_F(RunEvaluatorTest, GivesARestoringModelImagesOfTheDataSet) {
  const Model model = test::small_inpainter();
  evaluator.begin(alone, dataset, model.spec(), 10, at::kCPU);
  EXPECT_TRUE(evaluator.evaluate(model).distance.has_value());
  test::expect_throws<ConfigError>({"originals", "at least 150", "received 40"},
                                   [&] { quality_of(model); });
}

TEST_F(RunEvaluatorTest, SamplesATeacherWithAFixedNumberOfSteps) {
  const Model teacher = test::small_teacher();
  const std::string what = evaluator.begin(alone, dataset, teacher.spec(), 4, at::kCPU);
  EXPECT_NE(what.find("FD-ResNet20-CIFAR10 of 4 samples against all 40 images of shades"),
            std::string::npos)
      << what;
  EXPECT_NE(what.find("take 32"), std::string::npos) << what;
  EXPECT_NE(what.find("fewer than 4 samples per feature"), std::string::npos) << what;
  EXPECT_TRUE(evaluator.evaluate(teacher).distance.has_value());
}

TEST_F(RunEvaluatorTest, FindsNoDistanceOfSamplesThatAreNotFinite) {
  std::unique_ptr<Network> network = student.network().clone();
  {
    const ParameterEditor editor(*network);
    const at::NoGradGuard no_grad;
    Tensor(editor.parameters().back().tensor).fill_(std::numeric_limits<float>::quiet_NaN());
  }
  EXPECT_FALSE(quality_of({student.spec(), std::move(network)}).distance);
  EXPECT_TRUE(evaluator.evaluate(student).distance) << "the next model is another";
}

TEST_F(RunEvaluatorTest, FindsTheSameInSeveralProcesses) {
  REQUIRE_GLOO();
  const Quality expected = quality_of(student);
  std::array<Quality, 2> found;
  test::run_ranks(2, [&](parallel::ProcessGroup& group) {
    RunEvaluator mine(test::kResNet20Cifar10);
    mine.begin(group, dataset, student.spec(), kNum, at::kCPU);
    found.at(static_cast<size_t>(group.rank())) = mine.evaluate(student);
  });
  EXPECT_EQ(found[0].distance, expected.distance);
  EXPECT_EQ(found[0].pixel_mean, expected.pixel_mean);
  EXPECT_EQ(found[0].pixel_deviation, expected.pixel_deviation);
  EXPECT_EQ(found[0].data_mean, expected.data_mean);
}

TEST_F(RunEvaluatorTest, NeedsAFeatureNetwork) {
  test::expect_throws<FormatError>({"models", "feature network"}, [] { RunEvaluator("models"); });
}

}  // namespace
}  // namespace halfstep::metrics
