#include "halfstep/train/recipe.h"

namespace halfstep {

DistillOptions choose_method(DistillOptions options, const ModelSpec& teacher, bool has_init) {
  if (options.method) return options;
  // Moment matching calls the teacher at all times, and a distilled one knows few of them.
  const bool matches = !teacher.sampling.is_distilled() && options.end_steps <= kMostMatchedSteps;
  if (has_init) {
    options.method = matches ? DistillMethod::moment_matching : DistillMethod::direct;
    return options;
  }
  options.method = DistillMethod::halving;
  if (matches && !options.match_updates) options.match_updates = options.twice_updates_per_stage();
  return options;
}

}  // namespace halfstep
