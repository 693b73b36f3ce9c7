#include "halfstep/train/stage_end.h"

#include <cstdint>
#include <memory>

#include "halfstep/train/stage_start.h"

namespace halfstep {

bool stage_diverged(const RunStorage& storage, const RunOptions& options,
                    const std::vector<Stage>& stages, const Stage& stage,
                    const StageTraining& training, const Model& finished,
                    const data::Dataset& dataset, Journal& journal) {
  if (stage.kind != StageKind::distill && stage.kind != StageKind::guide) return false;
  std::unique_ptr<Network> init;  // none: the teacher
  if (options.init_sha256) {
    init = storage.load_init();
  } else if (stage.kind == StageKind::guide) {
    init = student_of_teacher(*training.teacher(), stage, finished.spec());
  }
  if (init) compute_as_stage(*init, options, stage, finished.device());
  uint64_t unused = 0;  // the number of the first update that no stage makes
  for (const Stage& one : stages) unused += static_cast<uint64_t>(one.updates);
  const StageLosses losses =
      training.losses(init ? *init : *training.teacher(), finished.network(), dataset, unused);
  if (!losses.diverged()) return false;
  journal.write("warning: stage " + stage.name + " diverged: its student's loss rose from " +
                three_digits(losses.initial) + " to " + three_digits(losses.trained) +
                "; try a lower --lr or more updates");
  return true;
}

}  // namespace halfstep
