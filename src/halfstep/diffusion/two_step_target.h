// The pair (x, eps) that replaces two deterministic steps by one (Salimans & Ho 2022, Algorithm 2).
#ifndef HALFSTEP_DIFFUSION_TWO_STEP_TARGET_H_
#define HALFSTEP_DIFFUSION_TWO_STEP_TARGET_H_

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

// Returns the pair (x~, eps~) whose DDIM step from phi_t to phi_s lands where two steps land: one
// from t to m with the prediction `at_t`, then one from m to s with the prediction `at_m`:
//   x~   = w x_t + (1 - w) x_m
//   eps~ = u eps_t + (1 - u) eps_m
//   w = sin(phi_s) sin(phi_t - phi_m) / (sin(phi_m) sin(phi_t - phi_s))
//   u = cos(phi_s) sin(phi_t - phi_m) / (cos(phi_m) sin(phi_t - phi_s))
// Both are convex mixes. `at_t` may itself be the result of this function: all that matters is that
// its step carries z_t to z_m.
//
// The paper's quotient (Algorithm 2, Appendix G) is the same number with a cancellation that costs
// four digits at N = 4096 and a special case at the last step; see docs/algorithm.md and the test
// AngleFormEqualsQuotient.
//
// Predictions are [B, ...], angles float64 [B] with 0 <= phi_s < phi_m < phi_t and phi_m < pi/2.
Prediction two_step_target(const Prediction& at_t, const Prediction& at_m, const Tensor& phi_t,
                           const Tensor& phi_m, const Tensor& phi_s);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_TWO_STEP_TARGET_H_
