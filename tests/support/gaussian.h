// Data whose best denoiser is known: x ~ N(mean, deviation^2), each element for itself.
#ifndef HALFSTEP_TESTS_SUPPORT_GAUSSIAN_H_
#define HALFSTEP_TESTS_SUPPORT_GAUSSIAN_H_

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"

namespace halfstep::test {

struct GaussianData {
  double mean = 0.0;
  double deviation = 1.0;

  // The variance of z at an angle: s^2 cos^2 + sin^2.  [B] -> [B]
  Tensor variance_at(const Tensor& phi) const;

  // x_hat = E[x | z] = mu + s^2 c (z - c mu) / (s^2 c^2 + n^2), eps_hat = E[eps | z] = n (z - c mu)
  // / (s^2 c^2 + n^2)
  Prediction best(const Tensor& z, const Tensor& phi) const;
  Denoiser denoiser() const;

  // Where the probability flow takes z from angle phi to phi_s: (z - mean of z) / deviation of z
  // stays.
  Tensor flow(const Tensor& z, const Tensor& phi, const Tensor& phi_s) const;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_GAUSSIAN_H_
