#include "halfstep/metrics/kernel_distance.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/metrics/random_order.h"

namespace halfstep::metrics {
namespace {

Tensor kernel(const Tensor& a, const Tensor& b) {
  return (at::mm(a, b.t()) / static_cast<double>(a.size(1)) + 1.0).pow(3);
}

Tensor off_diagonal_sum(const Tensor& matrix) { return matrix.sum() - matrix.trace(); }

}  // namespace

double squared_discrepancy(const Tensor& x, const Tensor& y) {
  require_shape("squared_discrepancy", "y", y, x.sizes());
  const auto m = static_cast<double>(x.size(0));
  const Tensor a = x.to(at::kDouble);
  const Tensor b = y.to(at::kDouble);
  const Tensor within = off_diagonal_sum(kernel(a, a)) + off_diagonal_sum(kernel(b, b));
  return (within / (m * (m - 1.0)) - 2.0 * kernel(a, b).mean()).item<double>();
}

std::vector<SubsetPair> random_subsets(int64_t num_x, int64_t num_y, const SubsetOptions& options) {
  if (options.subsets < 1 || options.size < 2 || options.size > std::min(num_x, num_y)) {
    throw ConfigError("random_subsets", "expected subsets of 2 to " +
                                            std::to_string(std::min(num_x, num_y)) +
                                            " images, received " + std::to_string(options.subsets) +
                                            " subsets of " + std::to_string(options.size));
  }
  std::vector<SubsetPair> subsets;
  subsets.reserve(static_cast<size_t>(options.subsets));
  for (int64_t i = 0; i < options.subsets; ++i) {
    const auto order = static_cast<uint64_t>(2 * i);
    subsets.push_back({.x = random_order(num_x, options.seed, order, options.size),
                       .y = random_order(num_y, options.seed, order + 1, options.size)});
  }
  return subsets;
}

MeanDeviation kernel_distance(const Tensor& x, const Tensor& y,
                              const std::vector<SubsetPair>& subsets) {
  require_shape("kernel_distance", "y", y, {-1, x.size(1)});
  std::vector<double> distances(subsets.size());
  std::transform(subsets.begin(), subsets.end(), distances.begin(), [&](const SubsetPair& subset) {
    return squared_discrepancy(x.index_select(0, subset.x), y.index_select(0, subset.y));
  });
  return mean_deviation(distances);
}

}  // namespace halfstep::metrics
