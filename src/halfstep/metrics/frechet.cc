#include "halfstep/metrics/frechet.h"

#include <ATen/Functions.h>

#include <tuple>

#include "halfstep/core/shape.h"

namespace halfstep::metrics {

double frechet_distance(const Moments& a, const Moments& b) {
  const int64_t size = a.mean.size(0);
  require_shape("frechet_distance", "a.covariance", a.covariance, {size, size});
  require_shape("frechet_distance", "b.mean", b.mean, {size});
  require_shape("frechet_distance", "b.covariance", b.covariance, {size, size});
  const auto [values, vectors] = at::linalg_eigh(a.covariance);
  // sqrt(A) B sqrt(A) in the basis of A's eigenvectors, in which sqrt(A) is diagonal
  const Tensor root = values.clamp_min(0.0).sqrt();
  const Tensor rotated = at::mm(vectors.t(), at::mm(b.covariance, vectors));
  const Tensor product = root.unsqueeze(1) * rotated * root;
  const Tensor squares = at::linalg_eigvalsh((product + product.t()) / 2.0);
  const Tensor cross = squares.clamp_min(0.0).sqrt().sum();
  const Tensor distance =
      (a.mean - b.mean).square().sum() + a.covariance.trace() + b.covariance.trace() - 2.0 * cross;
  return distance.item<double>();
}

}  // namespace halfstep::metrics
