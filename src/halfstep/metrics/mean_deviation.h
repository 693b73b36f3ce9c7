#ifndef HALFSTEP_METRICS_MEAN_DEVIATION_H_
#define HALFSTEP_METRICS_MEAN_DEVIATION_H_

#include <vector>

namespace halfstep::metrics {

// Of a metric over parts of a set; the deviation is divided by the number of parts, as the field's
// tools do.
struct MeanDeviation {
  double mean = 0.0;
  double deviation = 0.0;
};

MeanDeviation mean_deviation(const std::vector<double>& values);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_MEAN_DEVIATION_H_
