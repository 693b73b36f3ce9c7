#include "halfstep/diffusion/target.h"

#include <ATen/core/grad_mode.h>

#include <utility>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/ddim.h"

namespace halfstep {
namespace {

// w a + (1 - w) b
Tensor mix(const Tensor& weight, const Tensor& a, const Tensor& b) {
  return on(a, weight) * a + on(b, 1.0 - weight) * b;
}

}  // namespace

Prediction DataTarget::of(const Batch& batch) const { return {.x = batch.x, .eps = batch.eps}; }

TeacherTarget::TeacherTarget(Denoiser teacher) : teacher_(std::move(teacher)) {}

Prediction TeacherTarget::of(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  Prediction target = teacher_(batch.z, batch.phi_t, batch.condition);
  for (size_t k = 0; k < batch.phi_m.size(); ++k) {
    const Tensor& phi_m = batch.phi_m[k];
    const Tensor& phi_s = k + 1 < batch.phi_m.size() ? batch.phi_m[k + 1] : batch.phi_s;
    const Prediction at_m = teacher_(ddim_step(target, phi_m), phi_m, batch.condition);
    target = two_step_target(target, at_m, batch.phi_t, phi_m, phi_s);
  }
  return target;
}

Prediction two_step_target(const Prediction& at_t, const Prediction& at_m, const Tensor& phi_t,
                           const Tensor& phi_m, const Tensor& phi_s) {
  const Tensor ratio = (phi_t - phi_m).sin() / (phi_t - phi_s).sin();
  const Tensor w = ratio * phi_s.sin() / phi_m.sin();
  const Tensor u = ratio * phi_s.cos() / phi_m.cos();
  return {.x = mix(w, at_t.x, at_m.x), .eps = mix(u, at_t.eps, at_m.eps)};
}

}  // namespace halfstep
