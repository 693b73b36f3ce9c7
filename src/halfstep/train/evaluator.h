// The interface through which a run measures its unfinished models. metrics/run_evaluator.h
// implements it.
#ifndef HALFSTEP_TRAIN_EVALUATOR_H_
#define HALFSTEP_TRAIN_EVALUATOR_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/model/model.h"
#include "halfstep/parallel/process_group.h"
#include "halfstep/train/quality.h"

namespace halfstep {

// The sampling steps with which the model of a stage is evaluated that takes any number of steps.
inline constexpr int64_t kEvaluationSteps = 32;

// The seed of the first sample of every evaluation. The same noise at every evaluation, and in
// every run, makes differences those of the models. These seeds are far from those that people
// draw and evaluate with, so that the choice of the best model does not favour the seeds of a
// later evaluation.
inline constexpr uint64_t kEvaluationSeed = 1'000'000'000;

class Evaluator {
 public:
  virtual ~Evaluator() = default;

  // What the distance is measured with. A run records both, and resumes only with the same hash.
  virtual std::filesystem::path features() const = 0;
  virtual std::string features_sha256() const = 0;

  // Prepares evaluations of `num` samples of models of this spec against the data set. Returns what
  // they compare, for the run's log. Every process of the group makes this call and those of
  // evaluate(); all arguments must outlive them. Throws ConfigError if model, data and features do
  // not fit together.
  virtual std::string begin(parallel::ProcessGroup& group,
                            std::shared_ptr<const data::Dataset> dataset, const ModelSpec& spec,
                            int64_t num, const c10::Device& device) = 0;

  // Measures the samples of seeds kEvaluationSeed, kEvaluationSeed + 1, ... of the model, drawn
  // with its own sampler and number of steps, or with kEvaluationSteps. The result is that of
  // rank 0, with the same bits for any number of processes; the others return nothing of use.
  virtual Quality evaluate(const Model& model) = 0;
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_EVALUATOR_H_
