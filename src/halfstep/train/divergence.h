// Whether a stage of a distillation made its student worse.
#ifndef HALFSTEP_TRAIN_DIVERGENCE_H_
#define HALFSTEP_TRAIN_DIVERGENCE_H_

#include "halfstep/data/loader.h"
#include "halfstep/nn/network.h"
#include "halfstep/objective/objective.h"
#include "halfstep/train/diffused_batch.h"

namespace halfstep {

// Losses of a stage's student before and after its updates, measured on the same images, angles and
// noise, which training did not see.
struct StageLosses {
  double initial = 0.0;
  double trained = 0.0;

  // A stage diverged if its loss rose, and to more than anyone can see: at a loss of kNegligible,
  // x is off by 4 of 256 levels (root mean square, where SNR is 1 or less). Without that bound,
  // stages to many steps, whose students have hardly anything to learn, would be reported as
  // diverged because of rounding.
  static constexpr double kNegligible = 1e-3;
  bool diverged() const { return !(trained <= initial) && !(trained <= kNegligible); }
};

// Measures both networks over `batches` batches: those of updates loader.first_update,
// loader.first_update + 1, ... The networks, and those that the objective calls, are on one device.
// `microbatch`: examples per network call; 0: the whole batch.
StageLosses stage_losses(const Objective& objective, const Network& initial, const Network& trained,
                         const BatchPlan& plan, int64_t microbatch, const data::Dataset& dataset,
                         const data::LoaderOptions& loader, int64_t batches = 4);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DIVERGENCE_H_
