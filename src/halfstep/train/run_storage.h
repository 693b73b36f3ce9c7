// The files of a run while it executes: its lock, its models, and states that are written in the
// background.
#ifndef HALFSTEP_TRAIN_RUN_STORAGE_H_
#define HALFSTEP_TRAIN_RUN_STORAGE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/checkpoint/run_lock.h"
#include "halfstep/checkpoint/state_writer.h"
#include "halfstep/model/model.h"
#include "halfstep/train/method.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_directory.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

// Belongs to rank 0. The other ranks have neither a folder nor files: for them, with a null
// directory, every load returns nothing and every save does nothing.
class RunStorage {
 public:
  // Locks the run unless `lock` is its lock already, and removes the temporary files that killed
  // processes have left in it. Throws IoError if another process works on it. `directory` and
  // `options` must outlive this.
  // External networks are made by `factory`.
  RunStorage(const RunDirectory* directory, const RunOptions& options, std::optional<RunLock> lock,
             NetworkFactory factory);

  // Loads the newest whole state; none if nothing has been saved yet.
  std::optional<SavedState> load_state();
  // Throws FormatError unless the models that the run reads, those that it was given and those of
  // the finished stages, are the ones that it has recorded.
  void require_models() const;
  // Throws FormatError unless `progress` is at an update of one of the run's stages.
  void require_progress(const Progress& progress) const;
  // Copies the saved optimizers into those of the networks. Throws FormatError if one is missing.
  void restore(const SavedState& saved, const std::vector<TrainedNetwork>& networks) const;
  // Cuts stats.jsonl back to the length that it had when the state was saved, if it still has that
  // length.
  void truncate_stats(Progress& progress) const;

  const NetworkFactory& factory() const { return factory_; }

  // Loads the network that a stage learns from: the run's teacher, or the model of the stage
  // before.
  std::unique_ptr<Network> load_teacher(int64_t stage) const;
  // Loads the network that the run was given to start from.
  std::unique_ptr<Network> load_init() const;
  // Returns what a training from data starts from: the given network, or fresh weights, which are
  // functions of the seed.
  std::unique_ptr<Network> initial_network() const;

  // Throws IoError unless the disk has room for the states to come and for this many models, so
  // that a run of days does not end on a full disk.
  void require_space(const std::vector<TrainedNetwork>& networks, int64_t models) const;

  // Begins to save a state; the run continues while it is written. Throws the error of the save
  // before, if it failed.
  void save(SavedState state);
  // Returns whether a state is still being written. Throws the error of the save if it failed.
  bool busy();
  // Waits until the state is on the disk. Throws the error of the save if it failed.
  void finish();

  // Saves these weights of the student, by parameter, as the stage's model and returns the file.
  std::filesystem::path save_model_of(const Stage& stage, const TrainedNetwork& student,
                                      const std::vector<NamedTensor>& weights) const;
  // Records the hash of the model of a finished stage in the states to come.
  void record_model_of(const Stage& stage);
  // Saves the EMA of the student after `update` updates of the stage as a snapshot and returns the
  // file.
  std::filesystem::path save_snapshot_of(const Stage& stage, int64_t update,
                                         const TrainedNetwork& student) const;

 private:
  std::filesystem::path save_model(const std::filesystem::path& folder, const Stage& stage,
                                   int64_t update, const TrainedNetwork& student,
                                   const std::vector<NamedTensor>& weights) const;

  const RunDirectory* directory_;
  const RunOptions& options_;
  const NetworkFactory factory_;
  std::optional<RunLock> lock_;
  std::optional<StateWriter> writer_;
  std::map<std::string, std::string> models_;  // SavedState::models
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RUN_STORAGE_H_
