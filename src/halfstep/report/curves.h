// Curves of a run's numbers: smooth lines over raw ones, and no more points than a drawing shows.
#ifndef HALFSTEP_REPORT_CURVES_H_
#define HALFSTEP_REPORT_CURVES_H_

#include <cstddef>
#include <vector>

#include "halfstep/report/run_facts.h"
#include "halfstep/report/svg_chart.h"

namespace halfstep::report {

// The mean of each value and as many before as after it, 5 % of all together; fewer towards an end,
// so that a straight line stays the line it is. Values that are not finite have no part in it.
std::vector<double> smoothed(const std::vector<double>& values);

// No more than about `at_most` points that look the same: of each stretch its lowest and its
// highest.
std::vector<ChartPoint> thinned(std::vector<ChartPoint> points, size_t at_most);

// The loss over the updates of a stage; the axis goes to the stage's planned end. Logarithmic where
// the loss changes more than tenfold.
Chart loss_chart(const StageFacts& stage);

// Images an update handled a second, between one line of stats.jsonl and the next, over the updates
// of the run; a rule where each stage begins.
Chart speed_chart(const RunFacts& facts);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_CURVES_H_
