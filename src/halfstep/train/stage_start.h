// The start of a stage: from the networks in the run's folder to the stage in memory.
#ifndef HALFSTEP_TRAIN_STAGE_START_H_
#define HALFSTEP_TRAIN_STAGE_START_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>

#include "halfstep/model/model.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_storage.h"
#include "halfstep/train/stage_training.h"

namespace halfstep {

// Returns the student that a stage of distillation starts from: a copy of its teacher. Where the
// stage adds the guidance weight as an input, the projection of it is zero, so that the student
// equals its teacher for every weight. `spec` is that of the stage's model.
std::unique_ptr<Network> student_of_teacher(const Network& teacher, const Stage& stage,
                                            const ModelSpec& spec);

// Loads the networks of stage number `index` on rank 0, broadcasts them, and returns the stage
// ready for its first update. The student starts as a copy of its teacher, or from the given model.
// A resumed stage starts in the same way, before its saved state is restored. `options` and `stage`
// must outlive the result.
std::unique_ptr<StageTraining> start_stage(parallel::ProcessGroup& group, const RunStorage& storage,
                                           const RunOptions& options, const Stage& stage,
                                           int64_t index, const c10::Device& device);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STAGE_START_H_
