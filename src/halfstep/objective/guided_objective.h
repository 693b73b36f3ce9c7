// Learning a guided teacher, which costs two calls per step, in one call (Meng et al. 2023,
// "On Distillation of Guided Diffusion Models", stage one; arXiv:2210.03142).
#ifndef HALFSTEP_OBJECTIVE_GUIDED_OBJECTIVE_H_
#define HALFSTEP_OBJECTIVE_GUIDED_OBJECTIVE_H_

#include <utility>
#include <vector>

#include "halfstep/objective/data_objective.h"

namespace halfstep {

// The target is the guided teacher's prediction at z itself, in no-grad mode; t is uniform in (0,
// 1), so that the student knows all times, as its teacher does, and can be distilled further.
class GuidedObjective final : public Objective {
 public:
  // `teacher` guides: it is made of guided() or guided_by_condition() (diffusion/guidance.h).
  GuidedObjective(StudentOutput student, Denoiser teacher)
      : Objective(std::move(student)), teacher_(std::move(teacher)) {}

  StepAngles draw_angles(const std::vector<RandomKey>& keys) const override {
    return continuous_angles(student().schedule, keys);
  }
  Prediction target(const Batch& batch) const override;

 private:
  Denoiser teacher_;
};

}  // namespace halfstep

#endif  // HALFSTEP_OBJECTIVE_GUIDED_OBJECTIVE_H_
