#include "halfstep/report/svg_chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "halfstep/report/words.h"

namespace halfstep::report {
namespace {

constexpr int kColours = 5;
constexpr double kCharacter = 6.6;  // width of a tick label's character, pixels
constexpr double kTop = 30.0;       // room for the title of the y axis
constexpr double kBottom = 40.0;    // room for tick labels and the title of the x axis
constexpr double kRight = 14.0;

// Range of the values along one axis.
struct Range {
  double low = std::numeric_limits<double>::infinity();
  double high = -std::numeric_limits<double>::infinity();

  void include(double value) {
    low = std::min(low, value);
    high = std::max(high, value);
  }
};

std::string coordinate(double value) { return printed("%.1f", value); }

// Adds a margin around the data at each end that the axis does not fix; `margin` is its fraction of
// the range. Data that are equal but for rounding get a margin as a fraction of their size.
Range padded(Range range, const Axis& axis, double margin) {
  constexpr double kRounding = 1e-9;
  if (axis.scale != Scale::linear) {
    const double logarithm = std::log(range.high) - std::log(range.low);
    const double factor = logarithm > kRounding ? std::exp(margin * logarithm) : std::sqrt(2.0);
    return {.low = axis.low.value_or(range.low / factor),
            .high = axis.high.value_or(range.high * factor)};
  }
  const double size = std::max(std::fabs(range.low), std::fabs(range.high));
  const double span = range.high - range.low;
  const double room = span > kRounding * size ? margin * span : margin * size;
  const double low = axis.low.value_or(range.low - std::max(room, 1e-12));
  const double high = axis.high.value_or(range.high + std::max(room, 1e-12));
  return {.low = low, .high = std::max(high, low + std::max(kRounding * size, 1e-12))};
}

// Returns the title with what a reader must know of the scale.
std::string title_of(const Axis& axis, const Range& range) {
  if (axis.scale != Scale::linear) return axis.title + " (log scale)";
  return range.low > 0.0 ? axis.title + " (axis begins at " + tick_text(range.low) + ")"
                         : axis.title;
}

bool is_drawn(const Chart& chart, const ChartPoint& point) {
  return can_be_drawn(point.x, chart.x.scale) && can_be_drawn(point.y, chart.y.scale);
}

// Draws a marker around the origin: circle, square, triangle, diamond or inverted triangle.
Html shape(int colour, const Html& inside) {
  static constexpr std::array<const char*, kColours> kShapes = {
      "M-4 0a4 4 0 1 0 8 0a4 4 0 1 0 -8 0z", "M-3.7 -3.7H3.7V3.7H-3.7z", "M0 -5L5 4H-5z",
      "M0 -5.5L5.5 0L0 5.5L-5.5 0z", "M0 5L5 -4H-5z"};
  const auto which = static_cast<size_t>((colour + colour / kColours) % kColours);
  return element("path",
                 {{"class", "point c" + std::to_string(colour % kColours)}, {"d", kShapes[which]}},
                 inside);
}

// Draws a chart; maps values to pixels.
class Plot {
 public:
  Plot(const Chart& chart, const Range& x, const Range& y)
      : chart_(chart),
        x_(x),
        y_(y),
        x_ticks_(axis_ticks(x.low, x.high, chart.x.scale, std::max(3, chart.width / 70))),
        y_ticks_(axis_ticks(y.low, y.high, chart.y.scale, std::max(3, chart.height / 50))) {
    for (const double tick : y_ticks_)
      left_ = std::max(left_, kCharacter * static_cast<double>(tick_text(tick).size()) + 12.0);
  }

  Html draw() const {
    Html inside = grid() + rules();
    for (const Series& series : chart_.series) inside += line(series);
    for (const Series& series : chart_.series) {
      if (series.mark == Mark::line_with_points) inside += points(series);
    }
    return element(
        "svg",
        {{"class", "chart"},
         {"viewBox", "0 0 " + std::to_string(chart_.width) + " " + std::to_string(chart_.height)},
         {"style", "max-width:" + std::to_string(chart_.width * 5 / 4) + "px"},
         {"role", "img"},
         {"aria-label", chart_.description}},
        inside);
  }

 private:
  double right() const { return chart_.width - kRight; }
  double bottom() const { return chart_.height - kBottom; }
  // Values outside of an axis that the chart fixes are drawn a little outside.
  static double position(double value, const Range& range, Scale scale) {
    return std::clamp(axis_position(value, range.low, range.high, scale), -0.05, 1.05);
  }
  double x_of(double x) const {
    return left_ + position(x, x_, chart_.x.scale) * (right() - left_);
  }
  double y_of(double y) const {
    return bottom() - position(y, y_, chart_.y.scale) * (bottom() - kTop);
  }

  static Html label(double x, double y, const char* anchor, std::string_view words,
                    const char* kind = "tick") {
    return element(
        "text",
        {{"class", kind}, {"x", coordinate(x)}, {"y", coordinate(y)}, {"text-anchor", anchor}},
        text(words));
  }

  static Html path(const char* kind, const std::string& d) {
    return element("path", {{"class", kind}, {"d", d}});
  }

  Html grid() const {
    Html made;
    std::string lines;
    for (const double tick : y_ticks_) {
      const double y = y_of(tick);
      lines += "M" + coordinate(left_) + " " + coordinate(y) + "H" + coordinate(right());
      made += label(left_ - 6.0, y + 4.0, "end", tick_text(tick));
    }
    made += path("grid", lines);
    std::string axis =
        "M" + coordinate(left_) + " " + coordinate(bottom()) + "H" + coordinate(right());
    for (const double tick : x_ticks_) {
      const double x = x_of(tick);
      axis += "M" + coordinate(x) + " " + coordinate(bottom()) + "v4";
      made += label(x, bottom() + 17.0, "middle", tick_text(tick));
    }
    made += path("axis", axis);
    made += label(0.0, 12.0, "start", title_of(chart_.y, y_), "title");
    made += label(right(), chart_.height - 5.0, "end", title_of(chart_.x, x_), "title");
    return made;
  }

  Html rules() const {
    Html made;
    for (const Rule& rule : chart_.rules) {
      if (rule.x < x_.low || rule.x > x_.high) continue;
      const double x = x_of(rule.x);
      made += path("rule",
                   "M" + coordinate(x) + " " + coordinate(kTop - 8.0) + "V" + coordinate(bottom()));
      made += label(x + 4.0, kTop, "start", rule.label);
    }
    return made;
  }

  Html line(const Series& series) const {
    std::string d;
    bool pen_down = false;
    for (const ChartPoint& point : series.points) {
      if (is_drawn(chart_, point)) {
        d += (pen_down ? "L" : "M") + coordinate(x_of(point.x)) + " " + coordinate(y_of(point.y));
      }
      pen_down = is_drawn(chart_, point);
    }
    const std::string kind = series.mark == Mark::faint_line ? "line faint c" : "line c";
    return path((kind + std::to_string(series.colour % kColours)).c_str(), d);
  }

  Html points(const Series& series) const {
    Html made;
    for (const ChartPoint& point : series.points) {
      if (!is_drawn(chart_, point)) continue;
      made += element("g",
                      {{"transform", "translate(" + coordinate(x_of(point.x)) + " " +
                                         coordinate(y_of(point.y)) + ")"}},
                      shape(series.colour, element("title", point.note)));
    }
    return made;
  }

  const Chart& chart_;
  const Range x_;
  const Range y_;
  const std::vector<double> x_ticks_;
  const std::vector<double> y_ticks_;
  double left_ = 24.0;
};

}  // namespace

Html to_html(const Chart& chart) {
  Range x;
  Range y;
  for (const Series& series : chart.series) {
    for (const ChartPoint& point : series.points) {
      if (!is_drawn(chart, point)) continue;
      x.include(point.x);
      y.include(point.y);
    }
  }
  if (x.low > x.high) return element("p", {{"class", "quiet"}}, text("Nothing to draw yet."));
  return Plot(chart, padded(x, chart.x, 0.04), padded(y, chart.y, 0.06)).draw();
}

Html legend_key(int colour) {
  return element("svg", {{"class", "key"}, {"viewBox", "-12 -6 24 12"}, {"aria-hidden", "true"}},
                 element("path", {{"class", "line c" + std::to_string(colour % kColours)},
                                  {"d", "M-12 0H12"}}) +
                     shape(colour, {}));
}

std::string chart_style() {
  return R"(
:root { --grid: #e3e5e8; --axis: #8b929b; --c0: #0072b2; --c1: #d55e00; --c2: #007d5a;
  --c3: #a8478a; --c4: #a07800; }
@media (prefers-color-scheme: dark) {
  :root { --grid: #2c3138; --axis: #7b838d; --c0: #56b4e9; --c1: #ff8f4a; --c2: #2fc79b;
    --c3: #e391c4; --c4: #e6c13c; }
}
.c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
.c4 { --c: var(--c4); }
svg.chart { display: block; width: 100%; height: auto; overflow: visible; }
svg.key { width: 24px; height: 12px; vertical-align: -1px; margin-right: 0.4em; }
svg text { font: 12px system-ui, sans-serif; fill: var(--quiet); font-variant-numeric: tabular-nums; }
svg text.title { fill: var(--ink); }
svg .grid { stroke: var(--grid); fill: none; }
svg .axis { stroke: var(--axis); fill: none; }
svg .rule { stroke: var(--axis); stroke-dasharray: 2 3; fill: none; }
svg .line { stroke: var(--c); stroke-width: 2; fill: none; stroke-linejoin: round; }
svg .faint { stroke-width: 1; opacity: 0.35; }
svg .point { fill: var(--c); stroke: var(--paper); stroke-width: 1; }
)";
}

}  // namespace halfstep::report
