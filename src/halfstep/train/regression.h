// The method of training and of progressive distillation: one network, one regression loss.
//
//   examples x -> (phi, eps) -> z = cos(phi) x + sin(phi) eps -> target -> student -> weighted loss
//   -> clipping -> Adam -> EMA
//
// The objective says at which angles and towards which target.
#ifndef HALFSTEP_TRAIN_REGRESSION_H_
#define HALFSTEP_TRAIN_REGRESSION_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "halfstep/model/model.h"
#include "halfstep/objective/objective_options.h"
#include "halfstep/parallel/gradient_reducer.h"
#include "halfstep/train/diffused_batch.h"
#include "halfstep/train/method.h"
#include "halfstep/train/options.h"

namespace halfstep {

struct RegressionOptions {
  BatchPlan batch;
  int64_t microbatch = 0;  // examples per network call; 0: the whole batch
  OptimizerOptions optimizer;
};

// Returns the settings of a model's updates. The student drops activations (its own dropout) only
// while training from data.
RegressionOptions regression_options(const ModelSpec& spec, const UpdateOptions& options,
                                     const ObjectiveOptions& objective, const Network& student);

// Returns how the student of these updates is read and weighted.
StudentOutput student_output(const ModelSpec& spec, const UpdateOptions& options);

class Regression final : public Method {
 public:
  // The student must outlive it, and so must the networks that the objective calls.
  Regression(Network& student, std::unique_ptr<const Objective> objective,
             const RegressionOptions& options);

  void reduce_over(parallel::ProcessGroup& group, int64_t bucket = parallel::kBucketSize) override;

  UpdateReport update(const UpdateExamples& examples, double lr) override;
  std::vector<TrainedNetwork> trained() override { return {{"student", &student_, &optimizer_}}; }

  const Objective& objective() const { return *objective_; }
  const RegressionOptions& options() const { return options_; }
  Optimizer& optimizer() { return optimizer_; }

 private:
  Tensor add_gradients(const BatchDraws& draws, int64_t batch_size);

  Network& student_;
  std::unique_ptr<const Objective> objective_;
  RegressionOptions options_;
  Optimizer optimizer_;
  DeviceGraph graph_;
  std::unique_ptr<parallel::GradientReducer> reducer_;  // null for one process
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_REGRESSION_H_
