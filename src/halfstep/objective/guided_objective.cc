#include "halfstep/objective/guided_objective.h"

#include <ATen/core/grad_mode.h>

namespace halfstep {

Prediction GuidedObjective::target(const Batch& batch) const {
  const at::NoGradGuard no_grad;
  return teacher_(batch.z, batch.angles.phi_t, batch.condition);
}

}  // namespace halfstep
