#include "halfstep/report/curves.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep::report {
namespace {

constexpr double kNone = std::numeric_limits<double>::quiet_NaN();

TEST(Smoothed, LeavesAStraightLineUnchanged) {
  std::vector<double> line(200);
  for (size_t i = 0; i < line.size(); ++i) line[i] = 3.0 * static_cast<double>(i) - 7.0;
  for (size_t i = 0; i < line.size(); ++i) EXPECT_NEAR(smoothed(line, i), line[i], 1e-10);
}

TEST(Smoothed, AveragesOverFivePerCent) {
  std::vector<double> values(200, 0.0);  // 5 on each side
  values[100] = 11.0;
  for (size_t i = 0; i < values.size(); ++i)
    EXPECT_NEAR(smoothed(values, i), i >= 95 && i <= 105 ? 1.0 : 0.0, 1e-12) << i;
}

TEST(Smoothed, IgnoresValuesThatAreNotFinite) {
  std::vector<double> values(200, 2.0);
  values[50] = kNone;
  for (size_t i = 0; i < values.size(); ++i) EXPECT_DOUBLE_EQ(smoothed(values, i), 2.0);
  EXPECT_TRUE(std::isnan(smoothed({kNone}, 0)));
}

TEST(Thinned, KeepsTheExtremesInOrder) {
  std::vector<ChartPoint> points(10'000);
  for (size_t i = 0; i < points.size(); ++i) {
    points[i].x = static_cast<double>(i);
    points[i].y = std::sin(0.1 * points[i].x);
  }
  points[4321].y = 100.0;
  points[8765].y = -100.0;
  const std::vector<ChartPoint> kept = thinned(points, 500);
  EXPECT_LE(kept.size(), 502u);
  EXPECT_GE(kept.size(), 400u);
  EXPECT_TRUE(std::ranges::is_sorted(kept, {}, &ChartPoint::x));
  EXPECT_TRUE(std::ranges::any_of(kept, [](const ChartPoint& p) { return p.y == 100.0; }));
  EXPECT_TRUE(std::ranges::any_of(kept, [](const ChartPoint& p) { return p.y == -100.0; }));
}

TEST(Thinned, LeavesShortLinesUnchangedAndKeepsGaps) {
  EXPECT_EQ(thinned(std::vector<ChartPoint>(500), 500).size(), 500u);
  std::vector<ChartPoint> points(1000, {0.0, 1.0});
  for (size_t i = 400; i < 600; ++i) points[i].y = kNone;
  EXPECT_TRUE(std::ranges::any_of(thinned(points, 100),
                                  [](const ChartPoint& p) { return std::isnan(p.y); }));
}

StageFacts stage_of(const std::vector<double>& losses) {
  StageFacts facts{.stage = {.num_steps = 4, .updates = 100}};
  for (const double loss : losses) {
    const auto update = static_cast<int64_t>(10 * (facts.lines.size() + 1));
    facts.lines.push_back({.num_steps = 4,
                           .update = update,
                           .total_updates = update,
                           .loss = loss,
                           .seconds = 0.5 * static_cast<double>(update)});
  }
  return facts;
}

TEST(LossChart, IsLogarithmicWhereTheLossChangesTenfold) {
  EXPECT_EQ(loss_chart(stage_of({1.0, 0.5, 0.11})).y.scale, Scale::linear);
  EXPECT_EQ(loss_chart(stage_of({1.0, 0.5, 0.09})).y.scale, Scale::log10);
  EXPECT_EQ(loss_chart(stage_of({1.0, 0.5, 0.0})).y.scale, Scale::linear) << "no logarithm";
}

TEST(LossChart, ExtendsToTheEndOfTheStage) {
  const Chart chart = loss_chart(stage_of({1.0, 0.5}));
  EXPECT_EQ(chart.x.low, 0.0);
  EXPECT_EQ(chart.x.high, 100.0);
  EXPECT_EQ(chart.series[0].points[1].x, 20.0);
  EXPECT_EQ(chart.series[0].points[1].y, 0.5);
}

// A stage whose distances are these, or not finite for NaN, with the second as the best.
StageFacts evaluated(const std::vector<double>& distances) {
  StageFacts facts = stage_of(std::vector<double>(distances.size() + 1, 1.0));
  for (size_t i = 0; i < distances.size(); ++i) {
    Quality& quality = facts.lines[i].quality.emplace();
    quality = {.distance_name = "FD-X",
               .pixel_mean = 70.0,
               .pixel_deviation = 80.0,
               .data_mean = 72.0,
               .data_deviation = 90.0,
               .best_update = 20};
    if (std::isfinite(distances[i])) quality.distance = distances[i];
  }
  return facts;
}

TEST(DistanceChart, ShowsTheEvaluationsAndTheBestUpdate) {
  const Chart chart = distance_chart(evaluated({3.0, 1.0, kNone, 2.0}));
  ASSERT_EQ(chart.series[0].points.size(), 4u) << "the last line has no evaluation";
  EXPECT_EQ(chart.series[0].points[1].x, 20.0);
  EXPECT_EQ(chart.series[0].points[1].y, 1.0);
  EXPECT_TRUE(std::isnan(chart.series[0].points[2].y));
  EXPECT_EQ(chart.x.high, 100.0);
  EXPECT_EQ(chart.y.title, "FD-X");
  EXPECT_EQ(chart.y.scale, Scale::linear);
  ASSERT_EQ(chart.rules.size(), 1u);
  EXPECT_EQ(chart.rules[0].x, 20.0);
  EXPECT_EQ(distance_chart(evaluated({30.0, 1.0})).y.scale, Scale::log10);
  EXPECT_EQ(last_quality(stage_of({1.0})), nullptr);
}

TEST(PixelChart, ShowsTheDataAsHorizontalLines) {
  const Chart chart = pixel_chart(evaluated({3.0, 1.0}));
  ASSERT_EQ(chart.series.size(), 4u);
  EXPECT_EQ(chart.series[0].points.front().y, 72.0);
  EXPECT_EQ(chart.series[0].points.back().x, 100.0);
  EXPECT_EQ(chart.series[1].points.back().y, 90.0);
  EXPECT_EQ(chart.series[2].points[0].y, 70.0);
  EXPECT_EQ(chart.series[3].points[1].y, 80.0);
  EXPECT_EQ(chart.series[1].colour, chart.series[3].colour);
}

TEST(SpeedChart, ShowsImagesPerSecondBetweenLines) {
  RunFacts facts;
  facts.options.update.batch = 6;
  facts.stages = {stage_of({1.0, 1.0}), stage_of({1.0})};
  StatsLine& second = facts.stages[1].lines[0];
  second.total_updates = 30;
  second.seconds = 20.0;  // 10 updates of 6 images in 10 seconds; 2 per second before
  const Chart chart = speed_chart(facts);
  ASSERT_EQ(chart.series[0].points.size(), 3u);
  EXPECT_DOUBLE_EQ(chart.series[0].points[0].y, 12.0);
  EXPECT_DOUBLE_EQ(chart.series[0].points[1].y, 12.0);
  EXPECT_DOUBLE_EQ(chart.series[0].points[2].y, 6.0);
  ASSERT_EQ(chart.rules.size(), 2u);
  EXPECT_EQ(chart.rules[1].x, 20.0);
}

}  // namespace
}  // namespace halfstep::report
