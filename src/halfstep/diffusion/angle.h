// A variance-preserving noise level is an angle phi, from 0 (data) to pi/2 (noise):
//
//   z = cos(phi) x + sin(phi) eps       alpha = cos(phi), sigma = sin(phi)
//   logsnr = -2 log tan(phi)
//
// Angles are float64 tensors [B] on the CPU, one angle per example. Coefficients are computed from
// them in float64 and cast once, by per_example(), where they multiply the images. (Salimans & Ho
// 2022, Appendix D.)
#ifndef HALFSTEP_DIFFUSION_ANGLE_H_
#define HALFSTEP_DIFFUSION_ANGLE_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

inline constexpr double kHalfPi = 1.5707963267948966;

// Convert between log-SNR and angle; logsnr is +inf at phi = 0 and, up to rounding, -inf at pi/2.
// The tensor forms return float64.
double phi_of_logsnr(double logsnr);
double logsnr_of_phi(double phi);
Tensor phi_of_logsnr(const Tensor& logsnr);
Tensor logsnr_of_phi(const Tensor& phi);

// Returns a coefficient [B] as a factor for `images` [B, ...]: shape [B, 1, ...], with their dtype
// and device. Throws ConfigError unless there is one coefficient per image.
Tensor per_example(const Tensor& images, const Tensor& coefficient);

// Returns z = cos(phi) x + sin(phi) eps, a draw from q(z | x) for eps ~ N(0, 1) (equation 1). x and
// eps are [B, ...], phi [B].
Tensor diffuse(const Tensor& x, const Tensor& eps, const Tensor& phi);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_ANGLE_H_
