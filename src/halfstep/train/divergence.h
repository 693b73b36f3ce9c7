// Detects stages of a distillation that made their student worse.
#ifndef HALFSTEP_TRAIN_DIVERGENCE_H_
#define HALFSTEP_TRAIN_DIVERGENCE_H_

#include "halfstep/data/loader.h"
#include "halfstep/nn/network.h"
#include "halfstep/objective/objective.h"
#include "halfstep/train/diffused_batch.h"

namespace halfstep {

// Losses of a stage's student before and after its updates, measured on the same held-out images,
// angles and noise.
struct StageLosses {
  double initial = 0.0;
  double trained = 0.0;

  // A stage diverged if its loss rose to a visible error: a loss of kNegligible is a root mean
  // square error in x of 4 of 256 levels, where SNR is 1 or less. Without that bound, stages with
  // many steps, whose students have little to learn, would be reported because of rounding.
  static constexpr double kNegligible = 1e-3;
  bool diverged() const { return !(trained <= initial) && !(trained <= kNegligible); }
};

// Measures both networks on the batches of `batches` updates, from loader.first_update on. The
// networks, and those that the objective calls, must be on the same device.
// `microbatch`: examples per network call; 0: the whole batch.
StageLosses stage_losses(const Objective& objective, const Network& initial, const Network& trained,
                         const BatchPlan& plan, int64_t microbatch, const data::Dataset& dataset,
                         const data::LoaderOptions& loader, int64_t batches = 4);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DIVERGENCE_H_
