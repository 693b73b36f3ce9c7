// The end of a stage: whether training has made the student worse.
#ifndef HALFSTEP_TRAIN_STAGE_END_H_
#define HALFSTEP_TRAIN_STAGE_END_H_

#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/model/model.h"
#include "halfstep/train/journal.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_storage.h"
#include "halfstep/train/stage_training.h"

namespace halfstep {

// Measures the finished student of a distillation stage, and the one that the stage began with, on
// batches that the run does not train on. Returns whether it is worse (StageLosses), and warns of
// it in the journal; false for other stages.
bool stage_diverged(const RunStorage& storage, const RunOptions& options,
                    const std::vector<Stage>& stages, const Stage& stage,
                    const StageTraining& training, const Model& finished,
                    const data::Dataset& dataset, Journal& journal);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STAGE_END_H_
