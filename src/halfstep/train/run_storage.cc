#include "halfstep/train/run_storage.h"

#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/disk.h"
#include "halfstep/io/file.h"
#include "halfstep/io/hash.h"
#include "halfstep/model/model_file.h"
#include "halfstep/nn/parameters.h"
#include "halfstep/train/stage_training.h"

namespace halfstep {

RunStorage::RunStorage(const RunDirectory* directory, const RunOptions& options,
                       std::optional<RunLock> lock, NetworkFactory factory)
    : directory_(directory),
      options_(options),
      factory_(std::move(factory)),
      lock_(std::move(lock)) {
  if (!directory_) return;
  if (!lock_) lock_.emplace(directory_->path());
  io::remove_left_temporaries(directory_->path());
}

std::optional<SavedState> RunStorage::load_state() {
  if (!directory_) return std::nullopt;
  StateSlots slots = directory_->states();
  std::optional<SavedState> saved = halfstep::load_state(slots);
  writer_.emplace(std::move(slots));
  if (saved) models_ = saved->models;
  return saved;
}

void RunStorage::require_models() const {
  if (!directory_) return;
  const auto require = [](const std::filesystem::path& file, const std::string& hash) {
    io::require_hash(file.string(), "sha256", hash, io::sha256_hex_of_file(file));
  };
  if (options_.kind == RunKind::distill)
    require(directory_->teacher_path(), options_.model.origin.teacher_sha256);
  if (options_.init_sha256) require(directory_->init_path(), *options_.init_sha256);
  for (const auto& [file, hash] : models_) require(directory_->path() / file, hash);
}

void RunStorage::require_progress(const Progress& progress) const {
  const std::vector<Stage> stages = options_.stages();
  const bool known = progress.stage >= 0 && progress.stage < static_cast<int64_t>(stages.size());
  if (known && progress.update >= 0 &&
      progress.update <= stages[static_cast<size_t>(progress.stage)].updates &&
      progress.total_updates >= progress.update) {
    return;
  }
  throw FormatError(directory_->path().string(),
                    "state: expected an update of one of this run's stages, received update " +
                        std::to_string(progress.update) + " of stage " +
                        std::to_string(progress.stage));
}

void RunStorage::restore(const SavedState& saved,
                         const std::vector<TrainedNetwork>& networks) const {
  for (const TrainedNetwork& trained : networks) {
    const auto state = saved.networks.find(trained.name);
    if (state == saved.networks.end()) {
      throw FormatError(directory_->path().string(),
                        "state: expected the network \"" + trained.name + "\", received none");
    }
    trained.optimizer->restore(state->second);
  }
}

void RunStorage::truncate_stats(Progress& progress) const {
  if (directory_) progress.stats_bytes = directory_->truncate_stats(progress.stats_bytes);
}

std::unique_ptr<Network> RunStorage::load_teacher(int64_t stage) const {
  if (!directory_) return nullptr;
  const std::filesystem::path file =
      stage == 0 ? directory_->teacher_path()
                 : directory_->stage_folder(options_.stages()[static_cast<size_t>(stage) - 1]);
  return load_network(file, factory_);
}

std::unique_ptr<Network> RunStorage::load_init() const {
  return directory_ ? load_network(directory_->init_path(), factory_) : nullptr;
}

std::unique_ptr<Network> RunStorage::initial_network() const {
  if (!directory_) return nullptr;
  auto network = make_network(options_.model, factory_);
  network->initialize(options_.update.seed);
  if (options_.init_sha256) start_from_parameters(*load_init(), *network);
  return network;
}

void RunStorage::require_space(const std::vector<TrainedNetwork>& networks, int64_t models) const {
  if (!directory_) return;
  uint64_t state_bytes = 0;
  for (const TrainedNetwork& trained : networks) {
    const OptimizerState& state = trained.optimizer->state();
    state_bytes += (state.ema.defined() ? 4 : 3) * state.parameters.nbytes();
  }
  if (options_.update.evaluate_every > 0)  // the best model
    state_bytes += networks.front().optimizer->state().parameters.nbytes();
  // One state for each empty slot, and one more while it is written.
  const auto states = static_cast<uint64_t>(1 + directory_->states().unused());
  const uint64_t model_bytes = networks.front().optimizer->state().parameters.nbytes();
  io::require_space(directory_->path(),
                    states * state_bytes + static_cast<uint64_t>(models) * model_bytes,
                    "the states and models of this run");
}

void RunStorage::save(SavedState state) {
  if (!directory_) return;
  state.models = models_;
  store(state, writer_->image());
  writer_->write();
}

bool RunStorage::busy() { return writer_ && writer_->busy(); }

void RunStorage::finish() {
  if (writer_) writer_->finish();
}

std::filesystem::path RunStorage::save_model_of(const Stage& stage, const TrainedNetwork& student,
                                                const std::vector<NamedTensor>& weights) const {
  return save_model(directory_->stage_folder(stage), stage, stage.updates, student, weights);
}

std::filesystem::path RunStorage::save_snapshot_of(const Stage& stage, int64_t update,
                                                   const TrainedNetwork& student) const {
  return save_model(directory_->snapshot_folder(stage, update), stage, update, student,
                    student.optimizer->averaged());
}

std::filesystem::path RunStorage::save_model(const std::filesystem::path& folder,
                                             const Stage& stage, int64_t update,
                                             const TrainedNetwork& student,
                                             const std::vector<NamedTensor>& weights) const {
  io::make_folder(folder);
  ModelSpec spec = stage.spec_of_model(options_.model);
  spec.origin.init_sha256 = options_.init_sha256.value_or("");
  spec.origin.updates = update;
  std::filesystem::path file = folder / model_file_name(spec.network);
  halfstep::save_model(file, spec, *student.network, weights);
  return file;
}

void RunStorage::record_model_of(const Stage& stage) {
  if (!directory_) return;
  const std::string file =
      (std::filesystem::path(stage.folder) / model_file_name(options_.model.network)).string();
  models_[file] = io::sha256_hex_of_file(directory_->path() / file);
}

}  // namespace halfstep
