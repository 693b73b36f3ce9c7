#include "halfstep/train/stage_end.h"

#include <cstdint>
#include <memory>

namespace halfstep {

std::optional<StageLosses> losses_of_stage(const RunStorage& storage, const RunOptions& options,
                                           const std::vector<Stage>& stages, const Stage& stage,
                                           const StageTraining& training, const Model& finished,
                                           const data::Dataset& dataset) {
  if (stage.kind != StageKind::distill) return std::nullopt;
  const std::unique_ptr<Network> init = options.init_sha256 ? storage.load_init() : nullptr;
  if (init) compute_as_stage(*init, options, stage, finished.device());
  uint64_t unused = 0;  // the number of the first update that no stage makes
  for (const Stage& one : stages) unused += static_cast<uint64_t>(one.updates);
  return training.losses(init ? *init : *training.teacher(), finished.network(), dataset, unused);
}

}  // namespace halfstep
