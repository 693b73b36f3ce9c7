// Second-order solvers of the probability-flow ODE, the usual baselines without distillation.
#ifndef HALFSTEP_DIFFUSION_SOLVERS_H_
#define HALFSTEP_DIFFUSION_SOLVERS_H_

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

// Heun's method on dz/dphi = v_hat (Salimans & Ho 2022, Appendix D) is an Euler step,
//   z' = z_t + (phi_s - phi_t) v_t,
Tensor euler_step(const Tensor& z_t, const Tensor& v_t, const Tensor& phi_t, const Tensor& phi_s);
// and then, with v_s = v_hat(z', phi_s),  z_s = z_t + (phi_s - phi_t) (v_t + v_s) / 2.
Tensor heun_step(const Tensor& z_t, const Tensor& v_t, const Tensor& v_s, const Tensor& phi_t,
                 const Tensor& phi_s);

// Returns z_s after a step of DPM-Solver++(2M) (Lu et al. 2022, Algorithm 2). With
// lambda = logsnr / 2 and r -> t -> s the last three nodes of the grid:
//   D   = x_t + (lambda_s - lambda_t) / (2 (lambda_t - lambda_r)) (x_t - x_r)
//   z_s = sin(phi_s) / sin(phi_t) z_t + sin(phi_t - phi_s) / sin(phi_t) D
// Requires phi_s > 0. With D = x_t this is the DDIM step.
Tensor dpmpp_2m_step(const Tensor& z_t, const Tensor& x_t, const Tensor& x_r, const Tensor& phi_r,
                     const Tensor& phi_t, const Tensor& phi_s);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_SOLVERS_H_
