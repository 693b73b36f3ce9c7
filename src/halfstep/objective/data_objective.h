// Training from data (Salimans & Ho 2022, Algorithm 1).
#ifndef HALFSTEP_OBJECTIVE_DATA_OBJECTIVE_H_
#define HALFSTEP_OBJECTIVE_DATA_OBJECTIVE_H_

#include <vector>

#include "halfstep/objective/objective.h"

namespace halfstep {

// The target is the data and the noise that made z; t is uniform in (0, 1).
class DataObjective final : public Objective {
 public:
  using Objective::Objective;

  StepAngles draw_angles(const std::vector<RandomKey>& keys) const override;
  Prediction target(const Batch& batch) const override { return {.x = batch.x, .eps = batch.eps}; }
};

}  // namespace halfstep

#endif  // HALFSTEP_OBJECTIVE_DATA_OBJECTIVE_H_
