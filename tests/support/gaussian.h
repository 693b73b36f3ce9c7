// Gaussian data, whose optimal denoiser is known: x ~ N(mean, deviation^2), independently per
// element.
#ifndef HALFSTEP_TESTS_SUPPORT_GAUSSIAN_H_
#define HALFSTEP_TESTS_SUPPORT_GAUSSIAN_H_

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"

namespace halfstep::test {

struct GaussianData {
  double mean = 0.0;
  double deviation = 1.0;

  // Returns the variance of z, deviation^2 cos^2 phi + sin^2 phi; [B] to [B].
  Tensor variance_at(const Tensor& phi) const;

  // Returns the optimal prediction. With c = cos phi, n = sin phi, mean mu and deviation s:
  //   x_hat   = E[x | z]   = mu + s^2 c (z - c mu) / (s^2 c^2 + n^2)
  //   eps_hat = E[eps | z] = n (z - c mu) / (s^2 c^2 + n^2)
  Prediction best(const Tensor& z, const Tensor& phi) const;
  Denoiser denoiser() const;

  // Moves z from angle phi to phi_s along the probability flow ODE, which keeps
  // (z - mean of z) / (standard deviation of z) constant.
  Tensor flow(const Tensor& z, const Tensor& phi, const Tensor& phi_s) const;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_GAUSSIAN_H_
