// Kernel Inception Distance (Binkowski et al., 2018): the squared maximum mean discrepancy under a
// cubic kernel. Unbiased, so it compares sets of different sizes, and can be slightly negative.
#ifndef HALFSTEP_METRICS_KERNEL_DISTANCE_H_
#define HALFSTEP_METRICS_KERNEL_DISTANCE_H_

#include <cstdint>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/metrics/mean_deviation.h"

namespace halfstep::metrics {

// With k(a, b) = (a . b / D + 1)^3, for x and y [m, D] of one size:
//   sum over i != j of (k(x_i, x_j) + k(y_i, y_j)) / (m (m - 1)) - 2 sum over i, j of k(x_i, y_j) /
//   m^2
double squared_discrepancy(const Tensor& x, const Tensor& y);

// Rows of x and y that one discrepancy is taken of: int64 [m].
struct SubsetPair {
  Tensor x;
  Tensor y;
};

struct SubsetOptions {
  int64_t subsets = 100;
  int64_t size = 1000;  // images of each side; at most as many as there are
  uint64_t seed = 0;
};

// Without repetition inside a subset. Throws ConfigError for sets of fewer than `size` and sizes
// below 2.
std::vector<SubsetPair> random_subsets(int64_t num_x, int64_t num_y, const SubsetOptions& options);

// Over features [N, D] and [M, D].
MeanDeviation kernel_distance(const Tensor& x, const Tensor& y,
                              const std::vector<SubsetPair>& subsets);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_KERNEL_DISTANCE_H_
