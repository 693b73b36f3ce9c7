#ifndef HALFSTEP_METRICS_MEAN_DEVIATION_H_
#define HALFSTEP_METRICS_MEAN_DEVIATION_H_

#include <vector>

namespace halfstep::metrics {

// Mean and standard deviation of a metric over parts of a set. The variance is divided by the
// number of parts, as numpy.std does.
struct MeanDeviation {
  double mean = 0.0;
  double deviation = 0.0;
};

MeanDeviation mean_deviation(const std::vector<double>& values);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_MEAN_DEVIATION_H_
