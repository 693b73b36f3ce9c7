// Training from data (Salimans & Ho 2022, Algorithm 1).
#ifndef HALFSTEP_OBJECTIVE_DATA_OBJECTIVE_H_
#define HALFSTEP_OBJECTIVE_DATA_OBJECTIVE_H_

#include <vector>

#include "halfstep/objective/objective.h"

namespace halfstep {

// Draws t ~ U(0, 1) for each example, one per key: phi_t = phi(t) and nothing else. A pure function
// of the keys.
StepAngles continuous_angles(const Schedule& schedule, const std::vector<RandomKey>& keys);

// The target is the data and the noise that made z; t is uniform in (0, 1).
class DataObjective final : public Objective {
 public:
  using Objective::Objective;

  StepAngles draw_angles(const std::vector<RandomKey>& keys) const override {
    return continuous_angles(student().schedule, keys);
  }
  Prediction target(const Batch& batch) const override { return {.x = batch.x, .eps = batch.eps}; }
};

}  // namespace halfstep

#endif  // HALFSTEP_OBJECTIVE_DATA_OBJECTIVE_H_
