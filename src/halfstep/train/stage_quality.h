// The evaluations of the stage that a run is in, and the best model that they have found.
#ifndef HALFSTEP_TRAIN_STAGE_QUALITY_H_
#define HALFSTEP_TRAIN_STAGE_QUALITY_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/evaluator.h"
#include "halfstep/train/journal.h"
#include "halfstep/train/method.h"
#include "halfstep/train/options.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

// Throws ConfigError unless there is an evaluator where update.evaluate_every is above 0, and none
// otherwise.
void require_evaluator(const RunOptions& options, const Evaluator* evaluator);

// Records the evaluator's features in the options of a run that evaluates.
void record_features(RunOptions& options, const Evaluator* evaluator);

// Throws ConfigError unless the evaluator has the features that the run has recorded.
void require_same_features(const RunOptions& options, const Evaluator* evaluator);

// Returns whether the model is evaluated after `update` updates of the stage: every evaluate_every
// updates, and after the last.
bool evaluation_is_due(const RunOptions& options, const Stage& stage, int64_t update);

// Returns how often the evaluations of the whole run call a network, counted per example.
int64_t evaluation_calls(const RunOptions& options);

// Every process takes part in the evaluations; rank 0 reports them and keeps the best model. They
// change nothing else: with and without them, updates have the same bits.
class StageQuality {
 public:
  // The references and the evaluator, which may be null, must outlive this object.
  StageQuality(parallel::ProcessGroup& group, const RunOptions& options, Evaluator* evaluator,
               std::shared_ptr<const data::Dataset> dataset, const c10::Device& device,
               Journal& journal);

  // Begins a stage, or continues one whose saved state has the weights `best`. If updates are left,
  // prepares the evaluations, so that settings that do not fit are refused before the first update.
  void begin_stage(const Stage& stage, const Progress& progress, const Tensor& best);

  // Returns whether the evaluation after the last update has not been made: an error or another
  // process has ended it.
  bool is_pending(const Stage& stage, const Progress& progress) const;

  // Evaluates the student after progress.update updates if that is due, reports the result, and
  // notes it in `progress`. The process that throws, or whose peer has ended, has changed nothing.
  std::optional<Quality> evaluate(const Stage& stage, const TrainedNetwork& student,
                                  Progress& progress);

  // Returns the weights of the best model so far; undefined if there is none.
  const Tensor& best() const { return best_; }
  // Returns which model that is, for messages: ", of which the best, update 400, is kept"; empty
  // if it is that of the last update.
  std::string kept_update(const Progress& progress) const;
  // Returns what the stage's model is made of, by parameter: the best weights, or those of the
  // student now.
  std::vector<NamedTensor> kept(const TrainedNetwork& student) const;

 private:
  void prepare();  // once
  void report(const Stage& stage, const Quality& quality, const Progress& progress,
              const std::vector<std::string>& warnings);

  parallel::ProcessGroup& group_;
  const RunOptions& options_;
  Evaluator* const evaluator_;
  const std::shared_ptr<const data::Dataset> dataset_;
  const c10::Device device_;
  Journal& journal_;
  bool prepared_ = false;
  Tensor best_;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STAGE_QUALITY_H_
