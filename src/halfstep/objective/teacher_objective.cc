#include "halfstep/objective/teacher_objective.h"

#include <ATen/Functions.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <utility>

#include "halfstep/diffusion/ddim.h"
#include "halfstep/diffusion/two_step_target.h"

namespace halfstep {

Prediction teacher_target(const Denoiser& teacher, const Batch& batch) {
  const at::NoGradGuard no_grad;
  const StepAngles& angles = batch.angles;
  Prediction target = teacher(batch.z, angles.phi_t, batch.condition);
  for (size_t k = 0; k < angles.phi_m.size(); ++k) {
    const Tensor& phi_m = angles.phi_m[k];
    const Tensor& phi_s = k + 1 < angles.phi_m.size() ? angles.phi_m[k + 1] : angles.phi_s;
    const Prediction at_m = teacher(ddim_step(target, phi_m), phi_m, batch.condition);
    target = two_step_target(target, at_m, angles.phi_t, phi_m, phi_s);
  }
  return target;
}

TeacherObjective::TeacherObjective(StudentOutput student, Denoiser teacher, int64_t num_steps,
                                   int64_t substeps)
    : Objective(std::move(student)),
      teacher_(std::move(teacher)),
      num_steps_(num_steps),
      substeps_(substeps) {}

StepAngles TeacherObjective::draw_angles(const std::vector<RandomKey>& keys) const {
  Tensor step =
      at::empty({static_cast<int64_t>(keys.size())}, at::TensorOptions().dtype(at::kDouble));
  std::transform(keys.begin(), keys.end(), step.data_ptr<double>(), [this](const RandomKey& key) {
    return static_cast<double>(uniform_int(key, static_cast<uint64_t>(num_steps_)));
  });
  return step_angles(student().schedule, step, num_steps_, substeps_);
}

}  // namespace halfstep
