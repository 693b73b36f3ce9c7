// Charts as inline SVG: lines and points over linear and logarithmic axes.
//
// Colours, fonts and line widths are classes, whose rules chart_style() has for light and dark
// schemes, so that one drawing serves both. A series is told by its colour (Okabe and Ito's, which
// colour-blind people tell apart) and by the shape of its points.
#ifndef HALFSTEP_REPORT_SVG_CHART_H_
#define HALFSTEP_REPORT_SVG_CHART_H_

#include <optional>
#include <string>
#include <vector>

#include "halfstep/report/axis.h"
#include "halfstep/report/html.h"

namespace halfstep::report {

struct Axis {
  std::string title;  // with the unit
  Scale scale = Scale::linear;
  std::optional<double> low = std::nullopt;  // where the axis begins; none: where the data do
  std::optional<double> high = std::nullopt;
};

struct ChartPoint {
  double x = 0.0;
  double y = 0.0;
  std::string note = {};  // shown when pointed at
};

enum class Mark { faint_line, line, line_with_points };

// Points that are not finite, or not positive on a logarithmic axis, are left out and part the
// line.
struct Series {
  std::vector<ChartPoint> points;
  Mark mark = Mark::line;
  int colour = 0;  // the sixth has the first one's colour and another shape
};

// A vertical line where something begins.
struct Rule {
  double x = 0.0;
  std::string label;
};

struct Chart {
  std::string description;  // for who does not see it
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<Rule> rules = {};
  int width = 360;  // CSS pixels at which text has its size; the drawing shrinks to fit
  int height = 240;
};

// <svg>. A chart without a point that can be drawn is a sentence that says so.
Html to_html(const Chart& chart);

// A line and its point as beside a name in a legend.
Html legend_key(int colour);

// CSS of all that this file makes.
std::string chart_style();

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_SVG_CHART_H_
