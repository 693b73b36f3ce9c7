// The stochastic sampler of DDPM: z_s drawn from q(z_s | z_t, x = x_hat). (Equations 3, 4.)
#ifndef HALFSTEP_DIFFUSION_ANCESTRAL_H_
#define HALFSTEP_DIFFUSION_ANCESTRAL_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

struct Gaussian {
  Tensor mean;  // [B, ...]
  Tensor std;   // float64 [B]
};

// q(z_s | z_t, x) for phi_s < phi_t, with 1 - r = 1 - SNR_t / SNR_s:
//   1 - r = sin(phi_t - phi_s) sin(phi_t + phi_s) / (sin^2(phi_t) cos^2(phi_s))
//   mean  = sin^2(phi_s) cos(phi_t) / (sin^2(phi_t) cos(phi_s)) z_t + (1 - r) cos(phi_s) x
//   var   = (1 - r) sin^2(phi_s)^(1 - f) sin^2(phi_t)^f
// all finite at phi_t = pi/2. f = `variance` in [0, 1]: 0 is the lower bound ("small"), 1 the upper
// ("large"), between them log-interpolated (equation 4).
Gaussian ancestral_posterior(const Tensor& z_t, const Tensor& x, const Tensor& phi_t,
                             const Tensor& phi_s, double variance);

// One draw: mean + std * noise, but x itself where phi_s = 0.  `noise` ~ N(0, 1), shaped like z_t.
Tensor ancestral_step(const Tensor& z_t, const Tensor& x, const Tensor& phi_t, const Tensor& phi_s,
                      double variance, const Tensor& noise);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_ANCESTRAL_H_
