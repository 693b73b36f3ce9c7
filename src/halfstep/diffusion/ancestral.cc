#include "halfstep/diffusion/ancestral.h"

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/diffusion/angle.h"

namespace halfstep {

Gaussian ancestral_posterior(const Tensor& z_t, const Tensor& x, const Tensor& phi_t,
                             const Tensor& phi_s, double variance) {
  if (!(variance >= 0.0 && variance <= 1.0)) {
    throw ConfigError("ancestral_posterior", "variance: expected a fraction in [0, 1], received " +
                                                 std::to_string(variance));
  }
  const Tensor sin2_t = phi_t.sin().square();
  const Tensor sin2_s = phi_s.sin().square();
  const Tensor cos_s = phi_s.cos();
  const Tensor one_minus_r =
      (phi_t - phi_s).sin() * (phi_t + phi_s).sin() / (sin2_t * cos_s.square());
  const Tensor of_z = sin2_s * phi_t.cos() / (sin2_t * cos_s);
  const Tensor of_x = one_minus_r * cos_s;
  const Tensor var = one_minus_r * sin2_s.pow(1.0 - variance) * sin2_t.pow(variance);
  return {.mean = per_example(z_t, of_z) * z_t + per_example(x, of_x) * x, .std = var.sqrt()};
}

Tensor ancestral_step(const Tensor& z_t, const Tensor& x, const Tensor& phi_t, const Tensor& phi_s,
                      double variance, const Tensor& noise) {
  require_shape("ancestral_step", "noise", noise, z_t.sizes());
  const Gaussian posterior = ancestral_posterior(z_t, x, phi_t, phi_s, variance);
  const Tensor drawn = posterior.mean + per_example(noise, posterior.std) * noise;
  return at::where(per_example(z_t, phi_s) == 0, x, drawn);
}

}  // namespace halfstep
