#include "halfstep/train/recipe.h"

namespace halfstep {

namespace {

// Returns whether moment matching makes a student of this teacher better.
bool matching_helps(const DistillOptions& options, const ModelSpec& teacher) {
  const Sampling& sampling = teacher.sampling;
  // It calls the teacher at all times, and a distilled one knows few of them.
  if (sampling.is_distilled() || options.end_steps > kMostMatchedSteps) return false;
  // It compares with a denoiser of the data. A guided teacher is none: a student that should agree
  // with it at the noised data overshoots (docs/lab/guidance.md).
  return !options.guidance.is_on() && sampling.guidance_min.value_or(1.0) == 1.0 &&
         sampling.guidance_max.value_or(1.0) == 1.0;
}

}  // namespace

DistillOptions choose_method(DistillOptions options, const ModelSpec& teacher, bool has_init) {
  if (options.method) return options;
  const bool matches = matching_helps(options, teacher);
  if (has_init) {
    options.method = matches ? DistillMethod::moment_matching : DistillMethod::direct;
    return options;
  }
  options.method = DistillMethod::halving;
  if (matches && !options.match_updates) options.match_updates = options.twice_updates_per_stage();
  return options;
}

}  // namespace halfstep
