#include "halfstep/diffusion/two_step_target.h"

#include "halfstep/diffusion/angle.h"

namespace halfstep {
namespace {

// w a + (1 - w) b
Tensor mix(const Tensor& weight, const Tensor& a, const Tensor& b) {
  return per_example(a, weight) * a + per_example(b, 1.0 - weight) * b;
}

}  // namespace

Prediction two_step_target(const Prediction& at_t, const Prediction& at_m, const Tensor& phi_t,
                           const Tensor& phi_m, const Tensor& phi_s) {
  const Tensor ratio = (phi_t - phi_m).sin() / (phi_t - phi_s).sin();
  const Tensor w = ratio * phi_s.sin() / phi_m.sin();
  const Tensor u = ratio * phi_s.cos() / phi_m.cos();
  return {.x = mix(w, at_t.x, at_m.x), .eps = mix(u, at_t.eps, at_m.eps)};
}

}  // namespace halfstep
