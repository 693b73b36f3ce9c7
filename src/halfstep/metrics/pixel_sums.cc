#include "halfstep/metrics/pixel_sums.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>

namespace halfstep::metrics {

void PixelSums::add(const Tensor& images) {
  const Tensor values = images.to(at::kLong);
  count_ += values.numel();
  sum_ += values.sum().item<int64_t>();
  squares_ += (values * values).sum().item<int64_t>();
}

void PixelSums::sum_over(parallel::ProcessGroup& group) {
  const Tensor sums = at::tensor({count_, sum_, squares_});
  group.sum(sums);
  count_ = sums[0].item<int64_t>();
  sum_ = sums[1].item<int64_t>();
  squares_ = sums[2].item<int64_t>();
}

MeanDeviation PixelSums::mean_deviation() const {
  if (count_ == 0) return {};
  const auto count = static_cast<double>(count_);
  const double mean = static_cast<double>(sum_) / count;
  const double variance = static_cast<double>(squares_) / count - mean * mean;
  return {.mean = mean, .deviation = std::sqrt(std::max(variance, 0.0))};
}

}  // namespace halfstep::metrics
