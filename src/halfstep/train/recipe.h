// The choice of a method of distillation for those who do not name one.
#ifndef HALFSTEP_TRAIN_RECIPE_H_
#define HALFSTEP_TRAIN_RECIPE_H_

#include <cstdint>

#include "halfstep/model/model.h"
#include "halfstep/train/distill_options.h"

namespace halfstep {

// Moment matching follows the halvings for students of at most this many steps. At more steps,
// halvings alone are about as good as their teacher (docs/results.md).
inline constexpr int64_t kMostMatchedSteps = 8;

// Returns the options with a method, and with moment matching after it where that improves a
// student of end_steps steps and the teacher permits it. Options that name a method are returned
// unchanged. `has_init`: the student starts from an existing one, which needs no halvings.
DistillOptions choose_method(DistillOptions options, const ModelSpec& teacher, bool has_init);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RECIPE_H_
