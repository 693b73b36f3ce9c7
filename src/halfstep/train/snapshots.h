// The snapshots of a run: models of unfinished stages, with which one sees it while it trains.
#ifndef HALFSTEP_TRAIN_SNAPSHOTS_H_
#define HALFSTEP_TRAIN_SNAPSHOTS_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <vector>

#include "halfstep/model/model.h"
#include "halfstep/train/method.h"
#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_storage.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

// Returns whether a snapshot is due after `update` updates of the stage. The last update gives
// none, because its model is that of the stage.
bool snapshot_is_due(const RunOptions& options, const Stage& stage, int64_t update);

// Returns how many models the run will still save, of stages and of snapshots.
int64_t models_to_come(const RunOptions& options, const std::vector<Stage>& stages,
                       const Progress& progress);

// Loads a model of the run from its file, ready to compute as the stage does.
Model load_for_stage(const std::filesystem::path& file, const RunOptions& options,
                     const Stage& stage, const c10::Device& device, const NetworkFactory& factory);

// Saves the student as a snapshot, passes it to the observer and returns its file. The snapshot is
// a copy: with and without it the run ends with the same bits.
std::filesystem::path save_snapshot(const RunStorage& storage, const RunOptions& options,
                                    const Stage& stage, const Progress& progress,
                                    const TrainedNetwork& student, const c10::Device& device,
                                    TrainObserver& observer);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_SNAPSHOTS_H_
