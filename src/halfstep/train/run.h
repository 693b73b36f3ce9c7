// A run: the stages of a training or a whole distillation, in a folder that `resume` goes on from.
#ifndef HALFSTEP_TRAIN_RUN_H_
#define HALFSTEP_TRAIN_RUN_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>

#include "halfstep/data/dataset.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_directory.h"

namespace halfstep {

// Settings and data set -> everything that a training run is. Throws ConfigError where they do not
// fit.
RunOptions plan_training(const Config& config, const data::Dataset& dataset);

// Lets a training, or the student of a distillation, start from the weights of a model, whose file
// has the hash `sha256`. Such a distillation does not halve again and again: its student is taught
// end_steps steps by start_steps of the teacher, at once. Throws ConfigError where the model is
// another network or predicts another output.
void start_from(RunOptions& options, const ModelSpec& init, const std::string& sha256);

// As plan_training, for distilling `teacher`, whose file has the hash `teacher_sha256`. Throws
// ConfigError where teacher, data and halving do not fit.
RunOptions plan_distillation(const Config& config, const ModelSpec& teacher,
                             const std::string& teacher_sha256, const data::Dataset& dataset);

// Throws ConfigError unless the images are of the shape and the classes that the run is for; a
// resumed run may be told of another data set.
void require_data(const RunOptions& options, const data::Dataset& dataset);

enum class Outcome { finished, interrupted };

// Goes on from the folder's saved state, or from the start where there is none, to the last stage's
// end. `stop` is looked at after every update: when set, the state is saved and the run ends as
// interrupted. Throws Error, the state saved before kept, when kMaxSkipped updates in a row were
// not finite.
//
// With several processes in the group this is what the root does; the others take_part() at the
// same time. Each updates with its share of every batch. `stop` counts in whichever process it is
// set. Where one of them ends or is lost, the root saves the state of the last update and throws
// parallel::PeerError.
Outcome execute(parallel::ProcessGroup& group, const RunDirectory& directory,
                std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                TrainObserver& observer, const std::atomic<bool>& stop);

// What the processes other than the root do: they neither read the run's folder nor write. They
// need its options (shared_options) and the data set; all else comes from the root. Throws
// parallel::PeerError where another process ends or is lost, and ConfigError where data set or
// version are not the root's.
Outcome take_part(parallel::ProcessGroup& group, const RunOptions& options,
                  std::shared_ptr<const data::Dataset> dataset, const at::Device& device,
                  const std::atomic<bool>& stop);

inline constexpr int64_t kMaxSkipped = 20;

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_RUN_H_
