#include "halfstep/train/snapshots.h"

#include "halfstep/train/stage_training.h"

namespace halfstep {

bool snapshot_is_due(const RunOptions& options, const Stage& stage, int64_t update) {
  const int64_t every = options.update.snapshot_every;
  return every > 0 && update % every == 0 && update < stage.updates;
}

int64_t models_to_come(const RunOptions& options, const std::vector<Stage>& stages,
                       const Progress& progress) {
  const int64_t every = options.update.snapshot_every;
  int64_t models = 0;
  for (auto i = static_cast<size_t>(progress.stage); i < stages.size(); ++i)
    models += 1 + (every > 0 ? (stages[i].updates - 1) / every : 0);
  return models - (every > 0 ? progress.update / every : 0);
}

Model load_for_stage(const std::filesystem::path& file, const RunOptions& options,
                     const Stage& stage, const c10::Device& device, const NetworkFactory& factory) {
  const bool bf16 = stage_precision(options, stage, device) == Precision::bf16;
  return Model::load(file, {.device = device,
                            .precision = bf16 ? PrecisionChoice::bf16 : PrecisionChoice::fp32,
                            .factory = factory});
}

std::filesystem::path save_snapshot(const RunStorage& storage, const RunOptions& options,
                                    const Stage& stage, const Progress& progress,
                                    const TrainedNetwork& student, const c10::Device& device,
                                    TrainObserver& observer) {
  std::filesystem::path file = storage.save_snapshot_of(stage, progress.update, student);
  observer.on_snapshot(file.parent_path(),
                       load_for_stage(file, options, stage, device, storage.factory()),
                       progress.total_updates);
  return file;
}

}  // namespace halfstep
