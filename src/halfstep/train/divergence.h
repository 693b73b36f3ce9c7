// Whether a stage of a distillation made its student worse than it was.
#ifndef HALFSTEP_TRAIN_DIVERGENCE_H_
#define HALFSTEP_TRAIN_DIVERGENCE_H_

#include "halfstep/data/loader.h"
#include "halfstep/nn/network.h"
#include "halfstep/train/update.h"

namespace halfstep {

// The loss of a stage is how far one step of a network lands from those of the stage's teacher. The
// network that the student began as, in a halving the teacher itself, is what it had to improve on.
// Both are measured on the same images, times and noise, which training did not see.
struct StageLosses {
  double begun = 0.0;
  double ended = 0.0;

  // Worse than it began, and by more than what no one sees: at a loss of kNoLoss, x is 4 of 256
  // levels off (root mean square, where SNR is 1 or less). Without that bound, halvings from many
  // steps, which hardly have anything to learn, would be said to diverge for their rounding.
  static constexpr double kNoLoss = 1e-3;
  bool diverged() const { return !(ended <= begun) && !(ended <= kNoLoss); }
};

// Over `batches` batches of images of updates first_update, first_update + 1, ... of the stage's
// plan. The networks are on one device, in the stage's precision.
StageLosses stage_losses(const Network& teacher, const Network& begun, const Network& ended,
                         const UpdatePlan& plan, const data::Dataset& dataset,
                         const data::LoaderOptions& images, int64_t batches = 4);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DIVERGENCE_H_
