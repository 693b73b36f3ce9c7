// Kernel Inception Distance (Binkowski et al., 2018): the squared maximum mean discrepancy (MMD)
// with a cubic kernel. The estimate is unbiased: comparable between sets of different sizes, and
// possibly slightly negative.
#ifndef HALFSTEP_METRICS_KERNEL_DISTANCE_H_
#define HALFSTEP_METRICS_KERNEL_DISTANCE_H_

#include <cstdint>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/metrics/mean_deviation.h"

namespace halfstep::metrics {

// Returns the unbiased estimate of MMD^2 with k(a, b) = (a . b / D + 1)^3, for x and y [m, D]:
//   sum over i != j of (k(x_i, x_j) + k(y_i, y_j)) / (m (m - 1)) - 2 sum over i, j of k(x_i, y_j) /
//   m^2
double squared_discrepancy(const Tensor& x, const Tensor& y);

// The rows of x and y, int64 [m], from which one estimate is computed.
struct SubsetPair {
  Tensor x;
  Tensor y;
};

struct SubsetOptions {
  int64_t subsets = 100;
  int64_t size = 1000;  // number of images from each set
  uint64_t seed = 0;
};

// Draws subsets without repetition inside a subset. Throws ConfigError if `size` is below 2 or
// above the size of a set.
std::vector<SubsetPair> random_subsets(int64_t num_x, int64_t num_y, const SubsetOptions& options);

// Returns mean and deviation of the estimates over all subsets of features [N, D] and [M, D].
MeanDeviation kernel_distance(const Tensor& x, const Tensor& y,
                              const std::vector<SubsetPair>& subsets);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_KERNEL_DISTANCE_H_
