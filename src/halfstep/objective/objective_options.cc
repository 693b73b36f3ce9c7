#include "halfstep/objective/objective_options.h"

#include <utility>

#include "halfstep/objective/data_objective.h"
#include "halfstep/objective/guided_objective.h"
#include "halfstep/objective/teacher_objective.h"

namespace halfstep {

std::unique_ptr<const Objective> make_objective(const ObjectiveOptions& options,
                                                StudentOutput student, Denoiser teacher) {
  if (const auto* steps = std::get_if<FromTeacher>(&options)) {
    return std::make_unique<TeacherObjective>(std::move(student), std::move(teacher),
                                              steps->num_steps, steps->substeps);
  }
  if (std::holds_alternative<FromGuidedTeacher>(options))
    return std::make_unique<GuidedObjective>(std::move(student), std::move(teacher));
  return std::make_unique<DataObjective>(std::move(student));
}

int64_t teacher_calls(const ObjectiveOptions& options) {
  if (std::holds_alternative<FromGuidedTeacher>(options)) return 2;  // with the label and without
  const auto* steps = std::get_if<FromTeacher>(&options);
  return steps != nullptr ? steps->substeps : 0;
}

}  // namespace halfstep
