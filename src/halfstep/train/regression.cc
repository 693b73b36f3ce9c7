#include "halfstep/train/regression.h"

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "halfstep/device/to_host.h"

namespace halfstep {

RegressionOptions regression_options(const ModelSpec& spec, const UpdateOptions& options,
                                     const ObjectiveOptions& objective, const Network& student) {
  BatchPlan batch = batch_plan(spec, options);
  if (std::holds_alternative<FromData>(objective)) batch.dropout_sites = student.dropout_sites();
  return {.batch = std::move(batch),
          .microbatch = options.microbatch,
          .optimizer = {.weight_decay = options.weight_decay,
                        .grad_clip = options.grad_clip,
                        .ema_decay = options.ema_decay,
                        .ema_warmup = options.ema_warmup}};
}

StudentOutput student_output(const ModelSpec& spec, const UpdateOptions& options) {
  return {
      .schedule = Schedule(spec.schedule), .output = spec.output, .weighting = options.weighting};
}

Regression::Regression(Network& student, std::unique_ptr<const Objective> objective,
                       const RegressionOptions& options)
    : student_(student),
      objective_(std::move(objective)),
      options_(options),
      optimizer_(student, options.optimizer),
      graph_(student.is_capturable()) {}

void Regression::reduce_over(parallel::ProcessGroup& group, int64_t bucket) {
  graph_.disable();  // the gradients are sent while the backward pass runs
  reducer_ =
      std::make_unique<parallel::GradientReducer>(group, student_, optimizer_.gradient(), bucket);
}

UpdateReport Regression::update(const UpdateExamples& examples, double lr) {
  const at::Device device = student_.parameters().front().tensor.device();
  const int64_t microbatch = options_.microbatch > 0 ? options_.microbatch : examples.count;
  Tensor total = at::zeros({}, at::TensorOptions().dtype(at::kDouble).device(device));
  for (int64_t first = 0; first < examples.count; first += microbatch) {
    const int64_t count = std::min(microbatch, examples.count - first);
    const BatchDraws draws =
        draw_batch(examples, first, count, draws_of(*objective_), options_.batch, device);
    if (reducer_ && first + count == examples.count) reducer_->begin();
    total += compute_on(device, graph_, draws, [&](const BatchDraws& on_device) {
      return add_gradients(on_device, examples.batch_size);
    });
  }
  if (reducer_) total = reducer_->finish(total);
  const std::vector<double> numbers = to_host({total, optimizer_.gradient_norm()});
  const Optimizer::Step step = optimizer_.step(lr, numbers[1]);
  return {.loss = numbers[0], .grad_norm = step.grad_norm, .skipped = step.skipped};
}

// Adds the gradients of examples and returns their share of the loss, on the device. Each term is
// divided by the whole batch, so that shards add up like microbatches.
Tensor Regression::add_gradients(const BatchDraws& draws, int64_t batch_size) {
  const Batch batch = diffuse(draws);
  const Prediction target = objective_->target(batch);
  const Tensor raw =
      student_.forward(batch.z, batch.angles.phi_t, batch.condition, {.dropout = draws.dropout});
  const Tensor loss = objective_->loss(raw, target, batch).sum() / static_cast<double>(batch_size);
  loss.backward();
  return loss.detach();
}

}  // namespace halfstep
