// Draws charts as inline SVG: lines and points over linear and logarithmic axes.
//
// Colours, fonts and line widths are CSS classes, which chart_style() defines for light and dark
// schemes, so that one drawing serves both. Series differ in colour (Okabe and Ito's palette, which
// is safe for colour-blind people) and in the shape of their points.
#ifndef HALFSTEP_REPORT_SVG_CHART_H_
#define HALFSTEP_REPORT_SVG_CHART_H_

#include <optional>
#include <string>
#include <vector>

#include "halfstep/report/axis.h"
#include "halfstep/report/html.h"

namespace halfstep::report {

struct Axis {
  // With the unit. The chart adds "log scale", or where a linear axis begins if not at or below
  // zero.
  std::string title;
  Scale scale = Scale::linear;
  std::optional<double> low = std::nullopt;   // start of the axis; nullopt: fits the data
  std::optional<double> high = std::nullopt;  // end of the axis
};

struct ChartPoint {
  double x = 0.0;
  double y = 0.0;
  std::string note = {};  // tooltip
};

enum class Mark { faint_line, line, line_with_points };

// Points that cannot be drawn (can_be_drawn) are omitted and leave a gap in the line.
struct Series {
  std::vector<ChartPoint> points;
  Mark mark = Mark::line;
  int colour = 0;  // index; colours repeat after five, with other shapes
};

// A labelled vertical line.
struct Rule {
  double x = 0.0;
  std::string label;
};

struct Chart {
  std::string description;  // for screen readers
  Axis x;
  Axis y;
  std::vector<Series> series;
  std::vector<Rule> rules = {};
  int width = 360;  // in CSS pixels at full size; the drawing shrinks to fit
  int height = 240;
};

// Returns an <svg> element, or a sentence if the chart has no point that can be drawn.
Html to_html(const Chart& chart);

// Returns a sample of a line and its marker for a legend.
Html legend_key(int colour);

// Returns the CSS of charts and legend keys.
std::string chart_style();

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_SVG_CHART_H_
