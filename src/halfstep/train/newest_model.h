// The models in a run's folder: of its finished stages, and snapshots of unfinished ones.
#ifndef HALFSTEP_TRAIN_NEWEST_MODEL_H_
#define HALFSTEP_TRAIN_NEWEST_MODEL_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/train/run_directory.h"

namespace halfstep {

struct Snapshot {
  int64_t update = 0;  // of the stage
  std::filesystem::path folder;
};

// Returns the stage's snapshots that have a model, by their updates.
std::vector<Snapshot> snapshots_of(const RunDirectory& directory, const Stage& stage);

struct NewestModel {
  std::filesystem::path file;
  // What it is, if it is not the model of the last stage: "the snapshot at update 500 of 1000 of
  // stage 8 -> 4 steps". Empty for the result of a finished run.
  std::string description;
};

// Returns the model of the run that was trained last: the model of its last finished stage, or a
// later snapshot. Throws ConfigError if there is neither.
NewestModel newest_model(const RunDirectory& directory);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_NEWEST_MODEL_H_
