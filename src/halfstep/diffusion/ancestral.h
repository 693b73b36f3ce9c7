// The stochastic sampler of DDPM (Ho et al. 2020): z_s is drawn from q(z_s | z_t, x = x_hat), with
// the equations 3 and 4 of Salimans & Ho 2022.
#ifndef HALFSTEP_DIFFUSION_ANCESTRAL_H_
#define HALFSTEP_DIFFUSION_ANCESTRAL_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

struct Gaussian {
  Tensor mean;  // [B, ...]
  Tensor std;   // float64 [B]
};

// Returns mean and standard deviation of q(z_s | z_t, x) for phi_s < phi_t. With
// 1 - r = 1 - SNR_t / SNR_s:
//   1 - r = sin(phi_t - phi_s) sin(phi_t + phi_s) / (sin^2(phi_t) cos^2(phi_s))
//   mean  = sin^2(phi_s) cos(phi_t) / (sin^2(phi_t) cos(phi_s)) z_t + (1 - r) cos(phi_s) x
//   var   = (1 - r) sin^2(phi_s)^(1 - f) sin^2(phi_t)^f
// All of them are finite at phi_t = pi/2. f = `variance` in [0, 1] interpolates the logarithm of
// the variance between its lower bound (0, "small") and its upper bound (1, "large"), equation 4.
// z_t and x are [B, ...], phi_t and phi_s float64 [B]. Throws ConfigError if `variance` is outside
// [0, 1].
Gaussian ancestral_posterior(const Tensor& z_t, const Tensor& x, const Tensor& phi_t,
                             const Tensor& phi_s, double variance);

// Returns one draw, mean + std * noise, or x itself where phi_s = 0. `noise` ~ N(0, 1) has the
// shape of z_t (ConfigError otherwise).
Tensor ancestral_step(const Tensor& z_t, const Tensor& x, const Tensor& phi_t, const Tensor& phi_s,
                      double variance, const Tensor& noise);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_ANCESTRAL_H_
