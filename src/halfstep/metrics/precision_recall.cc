#include "halfstep/metrics/precision_recall.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <string>
#include <tuple>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"

namespace halfstep {
namespace {

constexpr int64_t kRows = 1000;  // of distances at a time: 400 MB against 50,000

// The points of a set and their squared lengths.
struct Points {
  explicit Points(const Tensor& features)
      : x(features.to(at::kCPU, at::kDouble)), squares(x.square().sum(1)) {}
  int64_t size() const { return x.size(0); }

  Tensor x;        // [N, D]
  Tensor squares;  // [N]
};

// Calls take(first, |a_i - b_j|^2 for kRows of a from `first`).
template <class Take>
void for_each_distances(const Points& a, const Points& b, const Take& take) {
  for (int64_t first = 0; first < a.size(); first += kRows) {
    const int64_t rows = std::min(kRows, a.size() - first);
    const Tensor products = at::mm(a.x.narrow(0, first, rows), b.x.t());
    take(first, a.squares.narrow(0, first, rows).unsqueeze(1) + b.squares - 2.0 * products);
  }
}

// The squared distance of each point to its k-th nearest other one. A point's distance to itself is
// the smallest, so that it comes first.
Tensor squared_radii(const Points& points, int64_t k) {
  Tensor radii = at::empty_like(points.squares);
  for_each_distances(points, points, [&](int64_t first, const Tensor& distances) {
    radii.narrow(0, first, distances.size(0)).copy_(std::get<0>(distances.kthvalue(k + 1, 1)));
  });
  return radii;
}

double share_inside(const Points& points, const Points& centres, const Tensor& radii) {
  double inside = 0.0;
  for_each_distances(points, centres, [&](int64_t, const Tensor& distances) {
    inside += distances.le(radii).any(1).sum().item<double>();
  });
  return inside / static_cast<double>(points.size());
}

}  // namespace

PrecisionRecall precision_recall(const Tensor& samples, const Tensor& reference, int64_t k) {
  require_shape("precision_recall", "reference", reference, {-1, samples.size(1)});
  const int64_t smaller = std::min(samples.size(0), reference.size(0));
  if (k < 1 || k >= smaller) {
    throw ConfigError("precision_recall", "k: expected 1 to fewer than the " +
                                              std::to_string(smaller) + " images, received " +
                                              std::to_string(k));
  }
  const Points fake(samples);
  const Points real(reference);
  return {.precision = share_inside(fake, real, squared_radii(real, k)),
          .recall = share_inside(real, fake, squared_radii(fake, k))};
}

}  // namespace halfstep
