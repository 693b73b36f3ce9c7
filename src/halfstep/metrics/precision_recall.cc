#include "halfstep/metrics/precision_recall.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"

namespace halfstep::metrics {
namespace {

constexpr int64_t kBlock = 2'000'000;  // distances per block: 16 MB, which is reused

// The points of a set and their squared norms.
struct Points {
  explicit Points(const Tensor& features)
      : x(features.to(at::kCPU, at::kDouble)), squares(x.square().sum(1)) {}
  int64_t size() const { return x.size(0); }

  Tensor x;        // [N, D]
  Tensor squares;  // [N]
};

// Calls take(first, |a_i - b_j|^2) for blocks of rows i from `first` and all j.
template <class Take>
void for_each_block(const Points& a, const Points& b, const Take& take) {
  const int64_t most_rows = std::max<int64_t>(1, kBlock / b.size());
  const Tensor block = at::empty({most_rows, b.size()}, b.x.options());
  for (int64_t first = 0; first < a.size(); first += most_rows) {
    const int64_t rows = std::min(most_rows, a.size() - first);
    Tensor distances = block.narrow(0, 0, rows);
    at::mm_out(distances, a.x.narrow(0, first, rows), b.x.t());
    distances.mul_(-2.0).add_(b.squares).add_(a.squares.narrow(0, first, rows).unsqueeze(1));
    take(first, distances);
  }
}

// Returns the squared distance of each point to its k-th nearest other one. The smallest distance
// of a point is that to itself, hence k + 1.
Tensor squared_radii(const Points& points, int64_t k) {
  Tensor radii = at::empty_like(points.squares);
  for_each_block(points, points, [&](int64_t first, const Tensor& distances) {
    const Tensor nearest = std::get<0>(distances.topk(k + 1, 1, /*largest=*/false));
    radii.narrow(0, first, distances.size(0)).copy_(nearest.select(1, k));
  });
  return radii;
}

double fraction_inside(const Points& points, const Points& centres, const Tensor& radii) {
  double inside = 0.0;
  for_each_block(points, centres, [&](int64_t, const Tensor& distances) {
    inside += distances.le(radii).any(1).sum().item<double>();
  });
  return inside / static_cast<double>(points.size());
}

}  // namespace

PrecisionRecall precision_recall(const Tensor& samples, const Tensor& reference, int64_t k) {
  require_shape("precision_recall", "reference", reference, {-1, samples.size(1)});
  const int64_t smaller = std::min(samples.size(0), reference.size(0));
  if (k < 1 || k >= smaller) {
    throw ConfigError("precision_recall", "k: expected at least 1 and fewer than the " +
                                              std::to_string(smaller) + " images, received " +
                                              std::to_string(k));
  }
  const Points fake(samples);
  const Points real(reference);
  return {.precision = fraction_inside(fake, real, squared_radii(real, k)),
          .recall = fraction_inside(real, fake, squared_radii(fake, k))};
}

}  // namespace halfstep::metrics
