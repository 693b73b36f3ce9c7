// Charts of the loss and the speed of a run.
#ifndef HALFSTEP_REPORT_CURVES_H_
#define HALFSTEP_REPORT_CURVES_H_

#include <cstddef>
#include <vector>

#include "halfstep/report/run_facts.h"
#include "halfstep/report/svg_chart.h"

namespace halfstep::report {

// Returns element i of a centred moving average over 5 % of the values. The window shrinks
// symmetrically towards the ends, so that a straight line is unchanged. Values that are not finite
// are ignored; NaN if the window has no others.
double smoothed(const std::vector<double>& values, size_t i);

// Reduces a line to about `max_points` points that look the same: the lowest and the highest point
// of each interval.
std::vector<ChartPoint> thinned(std::vector<ChartPoint> points, size_t max_points);

// Returns the chart of a stage's loss. The x axis extends to the planned end of the stage; the y
// axis is logarithmic if the loss changes by more than a factor of ten. A linear axis begins at
// zero where that leaves the curve at least a third of the height.
Chart loss_chart(const StageFacts& stage);

// Returns the last evaluation of a stage; null if there is none.
const Quality* last_quality(const StageFacts& stage);

// Return the charts of a stage's evaluations, of which there must be one: the distance of samples
// from the data, with a rule at the best update; the mean and deviation of their pixels, with those
// of the data as horizontal lines.
Chart distance_chart(const StageFacts& stage);
Chart pixel_chart(const StageFacts& stage);

// Returns the chart of images per second between consecutive lines of stats.jsonl, over the updates
// of the run, with a vertical rule at the start of each stage.
Chart speed_chart(const RunFacts& facts);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_CURVES_H_
