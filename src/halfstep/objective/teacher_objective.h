// Distillation of several teacher steps into one student step (Salimans & Ho 2022, Algorithm 2, for
// two teacher steps; docs/decisions/024 for more).
#ifndef HALFSTEP_OBJECTIVE_TEACHER_OBJECTIVE_H_
#define HALFSTEP_OBJECTIVE_TEACHER_OBJECTIVE_H_

#include <cstdint>
#include <vector>

#include "halfstep/objective/objective.h"

namespace halfstep {

// Returns the pair that carries one student step from phi_t exactly to where the teacher's DDIM
// steps end, at phi_s: t to m, m to s, with one step more for each further midpoint in the batch.
// The teacher is called once per step, in no-grad mode.
Prediction teacher_target(const Denoiser& teacher, const Batch& batch);

// The student has num_steps steps; step i ~ U{0, ..., num_steps - 1} goes from t = (i + 1) /
// num_steps to i / num_steps. `substeps` teacher steps are taught as one: 2 halves the sampling
// steps, more teach a student directly.
class TeacherObjective final : public Objective {
 public:
  TeacherObjective(StudentOutput student, Denoiser teacher, int64_t num_steps,
                   int64_t substeps = 2);

  StepAngles draw_angles(const std::vector<RandomKey>& keys) const override;
  Prediction target(const Batch& batch) const override { return teacher_target(teacher_, batch); }

 private:
  Denoiser teacher_;
  int64_t num_steps_;
  int64_t substeps_;
};

}  // namespace halfstep

#endif  // HALFSTEP_OBJECTIVE_TEACHER_OBJECTIVE_H_
