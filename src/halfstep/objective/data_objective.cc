#include "halfstep/objective/data_objective.h"

#include <ATen/Functions.h>

#include <algorithm>

namespace halfstep {

StepAngles continuous_angles(const Schedule& schedule, const std::vector<RandomKey>& keys) {
  Tensor t = at::empty({static_cast<int64_t>(keys.size())}, at::TensorOptions().dtype(at::kDouble));
  std::transform(keys.begin(), keys.end(), t.data_ptr<double>(),
                 [](const RandomKey& key) { return uniform(key); });
  return {.phi_t = schedule.phi(t), .phi_m = {}, .phi_s = {}};
}

}  // namespace halfstep
