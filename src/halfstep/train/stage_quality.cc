#include "halfstep/train/stage_quality.h"

#include <chrono>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/hash.h"
#include "halfstep/nn/parameters.h"
#include "halfstep/train/checked.h"
#include "halfstep/train/stage_training.h"

namespace halfstep {
namespace {

using Clock = std::chrono::steady_clock;

// Returns the student's EMA as a model of its own.
Model averaged_model(const RunOptions& options, const Stage& stage, const TrainedNetwork& student,
                     const c10::Device& device) {
  std::unique_ptr<Network> network = student.network->clone();
  copy_parameters(student.optimizer->averaged(), *network);
  return {stage.spec_of_model(options.model), std::move(network),
          stage_precision(options, stage, device)};
}

// Returns the student's EMA as one vector of its own, on the CPU.
Tensor averaged_vector(const TrainedNetwork& student) {
  const OptimizerState& state = student.optimizer->state();
  return (state.ema.defined() ? state.ema : state.parameters).detach().cpu().clone();
}

std::string pixels(double mean, double deviation) {
  return three_digits(mean) + " +- " + three_digits(deviation);
}

}  // namespace

void require_evaluator(const RunOptions& options, const Evaluator* evaluator) {
  const int64_t every = options.update.evaluate_every;
  if (every > 0 && !evaluator) {
    fail_option("features",
                "the file of a feature network, because evaluate_every is " + std::to_string(every),
                "none");
  }
  if (every == 0 && evaluator)
    fail_option("evaluate_every", "1 or more, because a feature network is given", "0");
}

void record_features(RunOptions& options, const Evaluator* evaluator) {
  require_evaluator(options, evaluator);
  if (!evaluator) return;
  options.features = std::filesystem::absolute(evaluator->features());
  options.features_sha256 = evaluator->features_sha256();
}

void require_same_features(const RunOptions& options, const Evaluator* evaluator) {
  require_evaluator(options, evaluator);
  if (!evaluator) return;
  io::require_hash(evaluator->features().string(), "sha256", options.features_sha256,
                   evaluator->features_sha256());
}

bool evaluation_is_due(const RunOptions& options, const Stage& stage, int64_t update) {
  const int64_t every = options.update.evaluate_every;
  return every > 0 && update > 0 && (update % every == 0 || update == stage.updates);
}

int64_t evaluation_calls(const RunOptions& options) {
  const int64_t every = options.update.evaluate_every;
  if (every == 0) return 0;
  int64_t calls = 0;
  for (const Stage& stage : options.stages()) {
    const int64_t evaluations = (stage.updates + every - 1) / every;
    calls += evaluations * (stage.num_steps > 0 ? stage.num_steps : kEvaluationSteps);
  }
  return calls * options.update.evaluate_num;
}

StageQuality::StageQuality(parallel::ProcessGroup& group, const RunOptions& options,
                           Evaluator* evaluator, std::shared_ptr<const data::Dataset> dataset,
                           const c10::Device& device, Journal& journal)
    : group_(group),
      options_(options),
      evaluator_(evaluator),
      dataset_(std::move(dataset)),
      device_(device),
      journal_(journal) {}

void StageQuality::begin_stage(const Stage& stage, const Progress& progress, const Tensor& best) {
  best_ = progress.update > 0 ? best : Tensor();
  if (progress.update < stage.updates) prepare();
}

void StageQuality::prepare() {
  if (!evaluator_ || std::exchange(prepared_, true)) return;
  journal_.write("extracting the features of the data for the evaluations");
  const std::string what =
      evaluator_->begin(group_, dataset_, options_.model, options_.update.evaluate_num, device_);
  journal_.write("evaluation every " + std::to_string(options_.update.evaluate_every) +
                 " updates: " + what);
}

bool StageQuality::is_pending(const Stage& stage, const Progress& progress) const {
  return evaluator_ && evaluation_is_due(options_, stage, progress.update) &&
         progress.quality.evaluated != progress.update;
}

std::optional<Quality> StageQuality::evaluate(const Stage& stage, const TrainedNetwork& student,
                                              Progress& progress) {
  if (!is_pending(stage, progress)) return std::nullopt;
  prepare();
  const auto begin = Clock::now();
  Quality quality = evaluator_->evaluate(averaged_model(options_, stage, student, device_));
  quality.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  const std::vector<std::string> warnings = progress.quality.add(progress.update, quality);
  quality.best_update = progress.quality.best_update;
  if (quality.best_update > 0) quality.best_distance = progress.quality.best_distance;
  if (group_.is_rank_zero() && quality.best_update == progress.update)
    best_ = averaged_vector(student);
  report(stage, quality, progress, warnings);
  return quality;
}

std::vector<NamedTensor> StageQuality::kept(const TrainedNetwork& student) const {
  return best_.defined() ? student.optimizer->named(best_) : student.optimizer->averaged();
}

std::string StageQuality::kept_update(const Progress& progress) const {
  const int64_t best = progress.quality.best_update;
  if (best == 0 || best == progress.update) return "";
  return ", of which the best, update " + std::to_string(best) + ", is kept";
}

void StageQuality::report(const Stage& stage, const Quality& quality, const Progress& progress,
                          const std::vector<std::string>& warnings) {
  const std::string where = stage.name + ", update " + std::to_string(progress.update) + ": ";
  if (quality.distance) {
    const bool best = quality.best_update == progress.update;
    journal_.write(where + quality.distance_name + " " + three_digits(*quality.distance) +
                   (best ? ", the best so far"
                         : ", the best is " + three_digits(progress.quality.best_distance) +
                               " of update " + std::to_string(quality.best_update)) +
                   "; pixels " + pixels(quality.pixel_mean, quality.pixel_deviation) + ", data " +
                   pixels(quality.data_mean, quality.data_deviation));
  }
  for (const std::string& warning : warnings) {
    journal_.write("warning: " + where + warning +
                   (quality.best_update > 0 ? "; the model kept is that of update " +
                                                  std::to_string(quality.best_update)
                                            : ""));
  }
}

}  // namespace halfstep
