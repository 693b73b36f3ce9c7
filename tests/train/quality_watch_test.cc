#include "halfstep/train/quality_watch.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "halfstep/io/fields.h"

namespace halfstep {
namespace {

Quality found(std::optional<double> distance, double mean = 70.0, double deviation = 90.0) {
  return {.distance_name = "FD-X",
          .distance = distance,
          .pixel_mean = mean,
          .pixel_deviation = deviation,
          .data_mean = 70.0,
          .data_deviation = 100.0};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(QualityWatch, TheBestIsTheFirstOfTheLeastDistances) {
  QualityWatch watch;
  watch.add(10, found(3.0));
  EXPECT_EQ(watch.best_update, 10);
  watch.add(20, found(2.0));
  watch.add(30, found(2.0));
  watch.add(40, found(2.5));
  EXPECT_EQ(watch.best_update, 20);
  EXPECT_EQ(watch.best_distance, 2.0);
  EXPECT_EQ(watch.evaluated, 40);
}

TEST(QualityWatch, CollapseIsReportedAtTheSecondBadEvaluationInARow) {
  QualityWatch watch;
  EXPECT_TRUE(watch.add(10, found(9.0)).empty());
  EXPECT_TRUE(watch.add(20, found(1.0)).empty());
  EXPECT_TRUE(watch.add(30, found(1.6)).empty()) << "one alone";
  EXPECT_TRUE(watch.add(40, found(1.4)).empty());
  EXPECT_TRUE(watch.add(50, found(1.6)).empty());
  const std::vector<std::string> warnings = watch.add(60, found(1.7));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(contains(warnings[0], "collapse: FD-X is 1.7, 1.7 times that of update 20"))
      << warnings[0];
  EXPECT_TRUE(watch.add(70, found(5.0)).empty()) << "it began before";
  EXPECT_TRUE(watch.add(80, found(1.1)).empty());
  EXPECT_TRUE(watch.add(90, found(1.6)).empty());
  EXPECT_EQ(watch.add(100, found(1.6)).size(), 1u) << "it began again";
}

TEST(QualityWatch, DriftIsReportedWhenTheErrorHasGrown) {
  QualityWatch watch;
  EXPECT_TRUE(watch.add(10, found(1.0, 50.0, 60.0)).empty()) << "untrained models are far away";
  EXPECT_TRUE(watch.add(20, found(1.0, 69.0, 99.0)).empty());
  EXPECT_TRUE(watch.add(30, found(1.0, 73.9, 96.1)).empty()) << "4 from the data, 1 before";
  std::vector<std::string> warnings = watch.add(40, found(1.0, 74.1, 96.1));
  ASSERT_EQ(warnings.size(), 1u);
  EXPECT_TRUE(contains(warnings[0], "pixel mean is now 74.1, that of the data 70")) << warnings[0];
  warnings = watch.add(50, found(1.0, 75.0, 95.0));
  ASSERT_EQ(warnings.size(), 1u) << "the mean drifted before";
  EXPECT_TRUE(contains(warnings[0], "pixel deviation is now 95, that of the data 100"));
  EXPECT_TRUE(watch.add(60, found(1.0, 70.0, 95.0)).empty());
  EXPECT_EQ(watch.add(70, found(1.0, 65.0, 95.0)).size(), 1u) << "the mean drifts again";
}

TEST(QualityWatch, SamplesThatAreNotFiniteAreReportedOnceAndAreNeverTheBest) {
  QualityWatch watch;
  EXPECT_EQ(watch.add(10, found(std::nullopt, 0.0, 0.0)).size(), 1u);
  EXPECT_TRUE(watch.add(20, found(std::nullopt, 0.0, 0.0)).empty());
  EXPECT_EQ(watch.best_update, 0);
  EXPECT_TRUE(watch.add(30, found(2.0)).empty()) << "their pixels count for nothing";
  EXPECT_EQ(watch.best_update, 30);
  EXPECT_EQ(watch.add(40, found(std::nullopt)).size(), 1u);
}

TEST(QualityWatch, ContinuesFromItsSavedFields) {
  QualityWatch watch;
  watch.add(10, found(1.0));
  watch.add(20, found(1.6, 80.0));
  QualityWatch restored;
  io::fields_from_json(io::fields_to_json(watch), restored, "test");
  EXPECT_EQ(watch.add(30, found(1.7, 81.0)), restored.add(30, found(1.7, 81.0)));
  EXPECT_EQ(io::fields_to_json(watch), io::fields_to_json(restored));
}

}  // namespace
}  // namespace halfstep
