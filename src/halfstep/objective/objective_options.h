// Objectives as data, with which stages are planned.
#ifndef HALFSTEP_OBJECTIVE_OBJECTIVE_OPTIONS_H_
#define HALFSTEP_OBJECTIVE_OBJECTIVE_OPTIONS_H_

#include <cstdint>
#include <memory>
#include <variant>

#include "halfstep/objective/objective.h"

namespace halfstep {

// The options of DataObjective, which has none.
struct FromData {
  bool operator==(const FromData&) const = default;
};

// The options of TeacherObjective.
struct FromTeacher {
  int64_t num_steps = 1;  // of the student
  int64_t substeps = 2;   // teacher steps per student step

  bool operator==(const FromTeacher&) const = default;
};

// The options of GuidedObjective, which has none.
struct FromGuidedTeacher {
  bool operator==(const FromGuidedTeacher&) const = default;
};

using ObjectiveOptions = std::variant<FromData, FromTeacher, FromGuidedTeacher>;

// Makes the objective. `teacher` is not used by FromData, and guides for FromGuidedTeacher;
// whatever it refers to must outlive the objective.
std::unique_ptr<const Objective> make_objective(const ObjectiveOptions& options,
                                                StudentOutput student, Denoiser teacher = {});

// Returns how many forward calls of the teacher a target costs.
int64_t teacher_calls(const ObjectiveOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_OBJECTIVE_OBJECTIVE_OPTIONS_H_
