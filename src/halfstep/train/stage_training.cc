#include "halfstep/train/stage_training.h"

#include <algorithm>
#include <utility>

#include "halfstep/diffusion/guidance.h"
#include "halfstep/train/learning_rate.h"
#include "halfstep/train/moment_matching.h"

namespace halfstep {
namespace {

// Returns the teacher as the stage calls it.
Denoiser denoiser_of(const Network& teacher, const Stage& stage, Output output) {
  RawOutput raw = raw_output(teacher);
  if (stage.kind == StageKind::guide) {
    raw = stage.guidance->is_fixed() ? guided(std::move(raw), stage.guidance->min)
                                     : guided_by_condition(std::move(raw));
  }
  return make_denoiser(std::move(raw), output);
}

}  // namespace

Precision stage_precision(const RunOptions& options, const Stage& stage, const at::Device& device) {
  return resolve(options.update.precision, options.model.network, device, stage.num_steps);
}

void compute_as_stage(Network& network, const RunOptions& options, const Stage& stage,
                      const at::Device& device) {
  network.to(device);
  network.set_precision(stage_precision(options, stage, device));
}

StageTraining::StageTraining(const RunOptions& options, const Stage& stage,
                             std::unique_ptr<Network> teacher, std::unique_ptr<Network> student)
    : options_(options), stage_(stage), teacher_(std::move(teacher)), student_(std::move(student)) {
  student_->set_activation_checkpointing(options_.update.activation_checkpointing);
  Denoiser denoiser;
  if (teacher_) denoiser = denoiser_of(*teacher_, stage_, options_.model.output);
  const ModelSpec spec = stage_.spec_of_model(options_.model);
  if (stage_.kind == StageKind::match) {
    auxiliary_ = teacher_->clone();
    auxiliary_->set_activation_checkpointing(options_.update.activation_checkpointing);
    method_ = std::make_unique<MomentMatching>(
        std::move(denoiser), *student_, *auxiliary_,
        moment_matching_options(spec, options_.update, options_.distill.match_lr,
                                stage_.num_steps));
    return;
  }
  auto regression = std::make_unique<Regression>(
      *student_,
      make_objective(stage_.objective, student_output(spec, options_.update), std::move(denoiser)),
      regression_options(spec, options_.update, stage_.objective, *student_));
  regression_ = regression.get();
  method_ = std::move(regression);
}

void StageTraining::reduce_over(parallel::ProcessGroup& group) {
  if (group.size() > 1) method_->reduce_over(group);
}

std::map<std::string, OptimizerState> StageTraining::states(int64_t undone) {
  std::map<std::string, OptimizerState> states;
  for (const TrainedNetwork& trained : method_->trained()) {
    OptimizerState state = trained.optimizer->state();
    state.updates -= undone;
    states.emplace(trained.name, std::move(state));
  }
  return states;
}

bool StageTraining::has_made(int64_t updates) {
  return std::ranges::all_of(method_->trained(), [&](const TrainedNetwork& trained) {
    return trained.optimizer->state().updates == updates;
  });
}

double StageTraining::lr(int64_t update) const {
  const bool matches = stage_.kind == StageKind::match;
  return learning_rate(matches ? options_.distill.match_lr : options_.update.lr, update,
                       options_.update.warmup, options_.update.anneal ? stage_.updates : 0);
}

StageLosses StageTraining::losses(const Network& initial, const Network& trained,
                                  const data::Dataset& dataset, uint64_t first_update) const {
  const RegressionOptions& plan = regression_->options();
  return stage_losses(regression_->objective(), initial, trained, plan.batch, plan.microbatch,
                      dataset,
                      {.seed = options_.update.seed,
                       .batch_size = options_.update.batch,
                       .random_flip = options_.update.random_flip,
                       .first_update = first_update});
}

}  // namespace halfstep
