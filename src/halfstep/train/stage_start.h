// The start of a stage: from the networks in the run's folder to the stage in memory.
#ifndef HALFSTEP_TRAIN_STAGE_START_H_
#define HALFSTEP_TRAIN_STAGE_START_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>

#include "halfstep/parallel/process_group.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_storage.h"
#include "halfstep/train/stage_training.h"

namespace halfstep {

// Loads the networks of stage number `index` on rank 0, broadcasts them, and returns the stage
// ready for its first update. The student starts as a copy of its teacher, or from the given model.
// A resumed stage starts in the same way, before its saved state is restored. `options` and `stage`
// must outlive the result.
std::unique_ptr<StageTraining> start_stage(parallel::ProcessGroup& group, const RunStorage& storage,
                                           const RunOptions& options, const Stage& stage,
                                           int64_t index, const c10::Device& device);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STAGE_START_H_
