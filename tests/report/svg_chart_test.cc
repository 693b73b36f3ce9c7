#include "halfstep/report/svg_chart.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

namespace halfstep::report {
namespace {

int times(const std::string& whole, const std::string& part) {
  int found = 0;
  for (size_t at = whole.find(part); at != std::string::npos; at = whole.find(part, at + 1))
    ++found;
  return found;
}

// The axes have fixed ends, so that positions have closed forms: the chart is 400 x 200 with
// margins of 30 at the top, 40 at the bottom, 14 on the right, and 12 plus 6.6 per character of a
// tick label on the left.
Chart small_chart(std::vector<ChartPoint> points, Mark mark = Mark::line) {
  return {.description = "a test",
          .x = {.title = "update", .low = 0.0, .high = 10.0},
          .y = {.title = "loss", .low = 0.0, .high = 1.0},
          .series = {{.points = std::move(points), .mark = mark}},
          .width = 400,
          .height = 200};
}

TEST(SvgChart, PutsPointsWhereTheirValuesAre) {
  // ticks 0, 0.5, 1 of three characters: left = 12 + 3 * 6.6 = 31.8; right = 386; 30 to 160 high
  const std::string svg = to_html(small_chart({{0.0, 0.0}, {5.0, 0.5}, {10.0, 1.0}})).markup;
  EXPECT_NE(svg.find("d=\"M31.8 160.0L208.9 95.0L386.0 30.0\""), std::string::npos) << svg;
  EXPECT_NE(svg.find(">update</text>"), std::string::npos);
  EXPECT_NE(svg.find(">loss</text>"), std::string::npos);
  EXPECT_NE(svg.find("aria-label=\"a test\""), std::string::npos);
  EXPECT_NE(svg.find("viewBox=\"0 0 400 200\""), std::string::npos);
}

TEST(SvgChart, SpacesEqualFactorsEquallyOnLogarithmicAxes) {
  Chart chart = small_chart({{1.0, 1.0}, {2.0, 0.1}, {4.0, 0.01}});
  chart.x = {.title = "evaluations", .scale = Scale::log2, .low = 1.0, .high = 4.0};
  chart.y = {.title = "FD", .scale = Scale::log10, .low = 0.01, .high = 1.0};
  // ticks 0.01, 0.03 ... have four characters: left = 38.4
  const std::string svg = to_html(chart).markup;
  EXPECT_NE(svg.find("d=\"M38.4 30.0L212.2 95.0L386.0 160.0\""), std::string::npos) << svg;
}

TEST(SvgChart, LeavesAGapWhereThereIsNoNumber) {
  const double none = std::numeric_limits<double>::quiet_NaN();
  const std::string svg =
      to_html(small_chart({{0.0, 0.0}, {2.0, 0.0}, {4.0, none}, {6.0, 0.0}, {8.0, 0.0}})).markup;
  EXPECT_NE(svg.find("d=\"M31.8 160.0L102.6 160.0M244.3 160.0L315.2 160.0\""), std::string::npos)
      << svg;
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(SvgChart, OmitsPointsWithoutALogarithm) {
  Chart chart =
      small_chart({{1.0, 0.0}, {1.0, -1.0}, {2.0, 10.0}, {4.0, 100.0}}, Mark::line_with_points);
  chart.y = {.title = "FD", .scale = Scale::log10};
  const std::string svg = to_html(chart).markup;
  EXPECT_EQ(times(svg, "class=\"point c0\""), 2);
  EXPECT_EQ(svg.find("inf"), std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(SvgChart, DrawsAnyTwoNumbers) {
  const double numbers[] = {-1.7e308, -1e250,      -5e-324, 0.0,   5e-324, 1e-250,
                            1.0,      1.0 + 1e-15, 9e15,    1e250, 1.7e308};
  for (const Scale scale : {Scale::linear, Scale::log10}) {
    for (const double first : numbers) {
      for (const double second : numbers) {
        Chart chart = small_chart({{first, second}, {second, first}}, Mark::line_with_points);
        chart.x = {.title = "x", .scale = scale};
        chart.y = {.title = "y", .scale = scale};
        chart.rules = {{.x = second, .label = "r"}};
        const std::string svg = to_html(chart).markup;
        EXPECT_LT(svg.size(), 5000u) << first << " and " << second;
        EXPECT_EQ(svg.find("nan"), std::string::npos) << first << " and " << second;
        EXPECT_EQ(svg.find("inf"), std::string::npos) << first << " and " << second;
      }
    }
  }
}

TEST(SvgChart, SaysWhereAnAxisBeginsIfNotAtZero) {
  Chart chart = small_chart({{0.0, 0.5}, {10.0, 1.0}});
  EXPECT_EQ(to_html(chart).markup.find("begins"), std::string::npos);
  chart.y.low = 0.25;
  EXPECT_NE(to_html(chart).markup.find(">loss (axis begins at 0.25)<"), std::string::npos);
  chart.y.scale = Scale::log10;
  EXPECT_NE(to_html(chart).markup.find(">loss (log scale)<"), std::string::npos);
}

TEST(SvgChart, SaysWhenThereIsNothingToDraw) {
  EXPECT_EQ(to_html(small_chart({})).markup, "<p class=\"quiet\">Nothing to draw yet.</p>");
}

TEST(SvgChart, DrawsASinglePointAndAFlatLine) {
  for (const Scale scale : {Scale::linear, Scale::log10}) {
    Chart chart = small_chart({{3.0, 0.25, "a < note"}}, Mark::line_with_points);
    chart.x = {.title = "x", .scale = scale};
    chart.y = {.title = "y", .scale = scale};
    const std::string svg = to_html(chart).markup;
    EXPECT_EQ(times(svg, "class=\"point c0\""), 1);
    EXPECT_NE(svg.find("<title>a &lt; note</title>"), std::string::npos);
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_GE(times(svg, "class=\"tick\""), 2) << svg;
  }
}

TEST(SvgChart, SeriesDifferInColourOrInShape) {
  std::vector<std::string> keys(25);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = legend_key(static_cast<int>(i)).markup;
  std::ranges::sort(keys);
  EXPECT_EQ(std::ranges::adjacent_find(keys), keys.end());
}

TEST(SvgChart, EveryClassHasAStyleInBothSchemes) {
  const std::string style = chart_style();
  for (int colour = 0; colour < 5; ++colour) {
    const std::string name = "--c" + std::to_string(colour) + ": #";
    EXPECT_EQ(times(style, name), 2) << name << " for light and dark";
  }
  for (const char* kind : {".line", ".faint", ".point", ".grid", ".axis", ".rule", "svg.chart"})
    EXPECT_NE(style.find(kind), std::string::npos) << kind;
}

}  // namespace
}  // namespace halfstep::report
