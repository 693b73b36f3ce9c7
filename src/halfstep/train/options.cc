#include "halfstep/train/options.h"

#include <algorithm>
#include <cmath>

#include "halfstep/model/generate.h"
#include "halfstep/train/checked.h"

namespace halfstep {
namespace {

constexpr int64_t kMostWorkers = 64;
constexpr int64_t kMostEvaluated = 10'000'000;  // samples, as in metrics/evaluation.h

void require_rate(const char* field, double value) {
  if (!(value >= 0.0 && value < 1.0))
    fail_option(field, "a number in [0, 1)", std::to_string(value));
}

void require_not_negative(const char* field, double value) {
  if (!(value >= 0.0 && std::isfinite(value)))
    fail_option(field, "a finite number, 0 or more", std::to_string(value));
}

int64_t scaled(int64_t updates, double factor) {
  const double product = std::round(static_cast<double>(updates) * factor);
  return static_cast<int64_t>(std::clamp(product, 1.0, static_cast<double>(kMostUpdates)));
}

}  // namespace

void validate(const UpdateOptions& options) {
  require_between(1, kMostBatch, "batch", options.batch);
  require_between(0, kMostBatch, "microbatch", options.microbatch);
  if (options.microbatch > 0 && options.batch % options.microbatch != 0) {
    fail_option("microbatch", "a divisor of batch " + std::to_string(options.batch),
                std::to_string(options.microbatch));
  }
  if (!(options.lr > 0.0 && options.lr <= 1.0))
    fail_option("lr", "a number in (0, 1]", std::to_string(options.lr));
  require_between(0, kMostUpdates, "warmup", options.warmup);
  // Each update multiplies the parameters by 1 - lr weight_decay.
  if (!(options.weight_decay >= 0.0 && options.lr * options.weight_decay < 1.0)) {
    fail_option("weight_decay", "0 or more, and less than 1 / lr",
                std::to_string(options.weight_decay));
  }
  require_not_negative("grad_clip", options.grad_clip);
  require_rate("ema_decay", options.ema_decay);
  require_rate("label_dropout", options.label_dropout.value_or(0.0));
  require_between(1, kMostWorkers, "workers", options.workers);
  require_updates("log_every", options.log_every);
  require_between(0, kMostUpdates, "snapshot_every", options.snapshot_every);
  require_between(0, kMostUpdates, "evaluate_every", options.evaluate_every);
  require_between(2, kMostEvaluated, "evaluate_num", options.evaluate_num);
}

std::vector<Stage> RunOptions::stages() const {
  if (kind == RunKind::train) return {training_stage(train.updates)};
  return distillation_stages(distill);
}

RunOptions with_updates(RunOptions options, int64_t updates, int64_t done) {
  if (options.kind != RunKind::train || options.update.anneal) {
    fail_option("updates", "none: only training at a constant learning rate can change its end",
                std::to_string(updates) + (options.kind == RunKind::train ? " for an annealed run"
                                                                          : " for a distillation"));
  }
  require_between(std::max<int64_t>(done, 1), kMostUpdates, "updates", updates);
  options.train.updates = updates;
  return options;
}

void scale_updates(TrainOptions& options, double factor) {
  options.updates = scaled(options.updates, factor);
}

void scale_updates(DistillOptions& options, double factor) {
  // Those that follow from updates_per_stage are left to follow.
  options.updates_per_stage = scaled(options.updates_per_stage, factor);
  for (std::optional<int64_t>* updates : {&options.last_updates, &options.convert_updates,
                                          &options.guide_updates, &options.match_updates}) {
    if (*updates) *updates = scaled(**updates, factor);
  }
}

void validate(const RunOptions& options) {
  validate(options.update);
  validate(options.model);
  if (options.threads) require_between(1, kMostThreads, "threads", *options.threads);
  options.stages();
  if (options.kind == RunKind::distill && options.init_sha256) {
    if (options.distill.method.value_or(DistillMethod::halving) == DistillMethod::halving) {
      fail_option("method", "direct or moment-matching to start from an existing student",
                  std::string(name_of(DistillMethod::halving)));
    }
    if (options.distill.guidance.is_on()) {
      fail_option("guidance",
                  "1 (off) where the student exists already; distil with guidance first, and give "
                  "the model of that stage as the teacher",
                  options.distill.guidance.text());
    }
    if (options.distill.student_output) {
      fail_option("student_output", "none where the student exists already",
                  std::string(name_of(*options.distill.student_output)));
    }
  }
  if (options.update.precision == PrecisionChoice::bf16 && is_code(options.model.network))
    fail_option("precision", "auto or fp32 for a network that is code", "bf16");
  const double label_dropout = options.update.label_dropout.value_or(0.0);
  if (label_dropout > 0.0 && !options.model.has_null_class) {
    fail_option("label_dropout", "0 for a model without a null class",
                std::to_string(label_dropout));
  }
}

}  // namespace halfstep
