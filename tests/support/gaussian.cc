#include "tests/support/gaussian.h"

#include "halfstep/diffusion/angle.h"

namespace halfstep::test {

Tensor GaussianData::variance_at(const Tensor& phi) const {
  return deviation * deviation * phi.cos().square() + phi.sin().square();
}

Prediction GaussianData::best(const Tensor& z, const Tensor& phi) const {
  const Tensor centred = z - per_example(z, mean * phi.cos());
  const Tensor variance = variance_at(phi);
  return {.x = mean + per_example(z, deviation * deviation * phi.cos() / variance) * centred,
          .eps = per_example(z, phi.sin() / variance) * centred};
}

Denoiser GaussianData::denoiser() const {
  return [*this](const Tensor& z, const Tensor& phi, const Condition&) { return best(z, phi); };
}

Tensor GaussianData::flow(const Tensor& z, const Tensor& phi, const Tensor& phi_s) const {
  const Tensor ratio = (variance_at(phi_s) / variance_at(phi)).sqrt();
  return per_example(z, mean * phi_s.cos()) +
         per_example(z, ratio) * (z - per_example(z, mean * phi.cos()));
}

}  // namespace halfstep::test
