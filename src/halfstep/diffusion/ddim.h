#ifndef HALFSTEP_DIFFUSION_DDIM_H_
#define HALFSTEP_DIFFUSION_DDIM_H_

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

// Returns z_s after one deterministic step down to angle phi_s [B] (Salimans & Ho 2022, equation 8;
// Song et al. 2021):
//   z_s = cos(phi_s) x_hat + sin(phi_s) eps_hat
// At phi_s = 0 this is x_hat itself.
Tensor ddim_step(const Prediction& prediction, const Tensor& phi_s);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_DDIM_H_
