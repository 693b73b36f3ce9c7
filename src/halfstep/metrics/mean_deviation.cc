#include "halfstep/metrics/mean_deviation.h"

#include <cmath>

namespace halfstep::metrics {

MeanDeviation mean_deviation(const std::vector<double>& values) {
  const auto count = static_cast<double>(values.size());
  double mean = 0.0;
  for (const double value : values) mean += value / count;
  double variance = 0.0;
  for (const double value : values) variance += (value - mean) * (value - mean) / count;
  return {.mean = mean, .deviation = std::sqrt(variance)};
}

}  // namespace halfstep::metrics
