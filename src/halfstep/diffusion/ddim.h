#ifndef HALFSTEP_DIFFUSION_DDIM_H_
#define HALFSTEP_DIFFUSION_DDIM_H_

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

// One deterministic step down to angle phi_s (paper, equation 8; Song et al. 2021):
//   z_s = cos(phi_s) x_hat + sin(phi_s) eps_hat
// At phi_s = 0 this is x_hat itself.  [B, ...], [B] -> [B, ...]
Tensor ddim_step(const Prediction& prediction, const Tensor& phi_s);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_DDIM_H_
