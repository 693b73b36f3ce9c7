// A run: the stages of a training or of a whole distillation, in a folder from which it can be
// resumed.
#ifndef HALFSTEP_TRAIN_RUN_H_
#define HALFSTEP_TRAIN_RUN_H_

#include <cstdint>
#include <memory>
#include <optional>

#include "halfstep/checkpoint/run_lock.h"
#include "halfstep/core/stop_token.h"
#include "halfstep/data/dataset.h"
#include "halfstep/model/model.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/evaluator.h"
#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/outcome.h"
#include "halfstep/train/run_directory.h"

namespace halfstep {

// Executes the run in `directory` from its saved state, or from the start if there is none, to the
// end of its last stage. `lock` is that of the run; without it, the run locks itself. `stop` is
// checked after every update: when it is set, the state is saved and the outcome is `interrupted`.
//
// With several processes in the group, rank 0 calls this and the others call take_part() at the
// same time. Each trains on its shard of every batch. `stop` works in every process. A run that
// evaluates needs an evaluator in each, and one of an external network a factory in each.
//
// Throws TrainingError, with the state saved, if kMaxSkipped updates in a row were not finite, or
// if a stage diverged and on_divergence is stop. Throws parallel::PeerError, with the state of the
// last update saved, if another process ended or was lost.
Outcome execute(parallel::ProcessGroup& group, const RunDirectory& directory,
                std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                TrainObserver& observer, const StopToken& stop,
                std::optional<RunLock> lock = std::nullopt, Evaluator* evaluator = nullptr,
                NetworkFactory factory = {});

// Takes part in a run as a rank other than 0. These ranks neither read nor write the run's folder:
// they need its options (broadcast_options) and the data set; everything else comes from rank 0.
// Throws parallel::PeerError if another process ends or is lost, and ConfigError if the data set or
// the versions differ from those of rank 0.
Outcome take_part(parallel::ProcessGroup& group, const RunOptions& options,
                  std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                  const StopToken& stop, Evaluator* evaluator = nullptr,
                  NetworkFactory factory = {});

// The number of updates in a row that may be skipped before the run ends.
inline constexpr int64_t kMaxSkipped = 20;

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RUN_H_
