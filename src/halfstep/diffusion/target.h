// What the student is trained towards. Training and distillation are one update; only the Target
// differs.
#ifndef HALFSTEP_DIFFUSION_TARGET_H_
#define HALFSTEP_DIFFUSION_TARGET_H_

#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

// A diffused batch: z = cos(phi_t) x + sin(phi_t) eps. phi_m and phi_s, the angles of the teacher's
// steps (StepAngles), are there in distillation only.
struct Batch {
  Tensor x;    // [B, C, H, W] in [-1, 1]
  Tensor eps;  // like x
  Tensor z;    // like x
  Tensor phi_t;
  std::vector<Tensor> phi_m;
  Tensor phi_s;
  Condition condition;
};

class Target {
 public:
  virtual ~Target() = default;
  // The pair (x, eps) that the student's prediction at (z, phi_t) should be. Carries no gradient.
  virtual Prediction of(const Batch& batch) const = 0;
};

// Algorithm 1: the data and the noise that made z.
class DataTarget final : public Target {
 public:
  Prediction of(const Batch& batch) const override;
};

// Algorithm 2: the pair that carries one student step from t exactly to where the teacher's steps
// end: two (t to m, m to s), or as many as the batch has angles for.
class TeacherTarget final : public Target {
 public:
  explicit TeacherTarget(Denoiser teacher);
  Prediction of(const Batch& batch) const override;

 private:
  Denoiser teacher_;
};

// The target as a convex mix of what the teacher said at t and at the midpoint m. `at_t` may be the
// target of several steps to m: all that counts is that it carries z_t to z_m.
//   x~   = w x1 + (1 - w) x2
//   eps~ = u eps1 + (1 - u) eps2
//   w = sin(phi_s) sin(phi_t - phi_m) / (sin(phi_m) sin(phi_t - phi_s))
//   u = cos(phi_s) sin(phi_t - phi_m) / (cos(phi_m) sin(phi_t - phi_s))
// The paper's quotient (Algorithm 2, Appendix G) is the same number with a cancellation that costs
// 4 digits at N = 4096 and a special case at the last step; see docs/algorithm.md and the test
// AngleFormEqualsQuotient. Needs 0 <= phi_s < phi_m < phi_t, phi_m < pi/2.
Prediction two_step_target(const Prediction& at_t, const Prediction& at_m, const Tensor& phi_t,
                           const Tensor& phi_m, const Tensor& phi_s);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_TARGET_H_
