// Mean and standard deviation of the pixels of a set of images.
#ifndef HALFSTEP_METRICS_PIXEL_SUMS_H_
#define HALFSTEP_METRICS_PIXEL_SUMS_H_

#include <cstdint>

#include "halfstep/core/tensor.h"
#include "halfstep/metrics/mean_deviation.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::metrics {

// Sums over all pixels and channels of uint8 images. They are integers, hence exact: the result
// does not depend on the order of the images or on the number of processes. The sum of the squares
// is less than 2^63 for 10^14 pixels.
class PixelSums {
 public:
  void add(const Tensor& images);  // uint8, any shape

  // Adds the sums of the other processes of the group, all of which make this call.
  void sum_over(parallel::ProcessGroup& group);

  // Returns the mean and the standard deviation, in levels from 0 to 255; zeros without a pixel.
  MeanDeviation mean_deviation() const;

 private:
  int64_t count_ = 0;
  int64_t sum_ = 0;
  int64_t squares_ = 0;
};

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_PIXEL_SUMS_H_
