#include "halfstep/diffusion/angle.h"

#include <cmath>
#include <vector>

#include "halfstep/core/shape.h"

namespace halfstep {

double phi_of_logsnr(double logsnr) { return std::atan(std::exp(-0.5 * logsnr)); }

double logsnr_of_phi(double phi) { return -2.0 * std::log(std::tan(phi)); }

Tensor phi_of_logsnr(const Tensor& logsnr) {
  return (logsnr.to(at::kDouble) * -0.5).exp_().atan_();
}

Tensor logsnr_of_phi(const Tensor& phi) { return phi.tan().log_().mul_(-2.0); }

Tensor per_example(const Tensor& images, const Tensor& coefficient) {
  require_shape("per_example", "coefficient", coefficient, {images.size(0)});
  std::vector<int64_t> shape(static_cast<size_t>(images.dim()), 1);
  shape[0] = images.size(0);
  return coefficient.to(images.options()).view(shape);
}

Tensor diffuse(const Tensor& x, const Tensor& eps, const Tensor& phi) {
  require_shape("diffuse", "eps", eps, x.sizes());
  return per_example(x, phi.cos()) * x + per_example(x, phi.sin()) * eps;
}

}  // namespace halfstep
