// A variance-preserving noise level is one angle phi, from 0 (data) to pi/2 (noise):
//
//   z = cos(phi) x + sin(phi) eps       alpha = cos(phi), sigma = sin(phi)
//   logsnr = -2 log tan(phi)
//
// Angles are float64 tensors [B] on the CPU, one angle an example. Every coefficient is computed
// from them in float64 and cast once, by `on`, where it meets the images. (Paper, Appendix D.)
#ifndef HALFSTEP_DIFFUSION_ANGLE_H_
#define HALFSTEP_DIFFUSION_ANGLE_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

inline constexpr double kHalfPi = 1.5707963267948966;

// The angle of a log-SNR and back; logsnr is +inf at phi = 0 and, up to rounding, -inf at pi/2.
double phi_of_logsnr(double logsnr);
double logsnr_of_phi(double phi);
Tensor phi_of_logsnr(const Tensor& logsnr);
Tensor logsnr_of_phi(const Tensor& phi);

// A coefficient [B] as a factor of `images` [B, ...]: their dtype and device, shape [B, 1, ...].
Tensor on(const Tensor& images, const Tensor& coefficient);

// q(z | x): z = cos(phi) x + sin(phi) eps. (Equation 1.)  [B, ...], [B, ...], [B] -> [B, ...]
Tensor diffuse(const Tensor& x, const Tensor& eps, const Tensor& phi);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_ANGLE_H_
