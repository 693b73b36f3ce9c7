#include "halfstep/train/options.h"

#include <algorithm>

#include "halfstep/core/error.h"
#include "halfstep/nn/network_cost.h"

namespace halfstep {
namespace {

constexpr int64_t kMostWorkers = 64;

[[noreturn]] void fail(const std::string& field, const std::string& expected,
                       const std::string& received) {
  throw ConfigError("options", field + ": expected " + expected + ", received " + received);
}

void require_at_least(int64_t least, const char* field, int64_t value) {
  if (value < least) fail(field, "at least " + std::to_string(least), std::to_string(value));
}

void require_rate(const char* field, double value) {
  if (!(value >= 0.0 && value < 1.0)) fail(field, "a number in [0, 1)", std::to_string(value));
}

}  // namespace

void validate(const UpdateOptions& options) {
  require_at_least(1, "batch", options.batch);
  require_at_least(0, "microbatch", options.microbatch);
  if (options.microbatch > 0 && options.batch % options.microbatch != 0) {
    fail("microbatch", "a divisor of batch " + std::to_string(options.batch),
         std::to_string(options.microbatch));
  }
  if (!(options.lr > 0.0 && options.lr <= 1.0))
    fail("lr", "a number in (0, 1]", std::to_string(options.lr));
  require_at_least(0, "warmup", options.warmup);
  if (!(options.weight_decay >= 0.0))
    fail("weight_decay", "0 or more", std::to_string(options.weight_decay));
  if (!(options.grad_clip >= 0.0))
    fail("grad_clip", "0 or more", std::to_string(options.grad_clip));
  require_rate("ema_decay", options.ema_decay);
  require_rate("label_dropout", options.label_dropout.value_or(0.0));
  if (options.workers < 1 || options.workers > kMostWorkers) {
    fail("workers", "1 to " + std::to_string(kMostWorkers), std::to_string(options.workers));
  }
  require_at_least(1, "log_every", options.log_every);
}

double Stage::forwards() const {
  return kForwardsOfTraining + (num_steps > 0 ? static_cast<double>(substeps) : 0.0);
}

std::vector<Stage> stages_of(const Halving& halving) {
  require_at_least(1, "end_steps", halving.end_steps);
  require_at_least(1, "updates_per_stage", halving.updates_per_stage);
  const int64_t last_updates = halving.last_updates.value_or(2 * halving.updates_per_stage);
  require_at_least(1, "last_updates", last_updates);
  std::vector<Stage> stages;
  if (halving.student_output) {
    const int64_t updates = halving.convert_updates.value_or(halving.updates_per_stage);
    require_at_least(1, "convert_updates", updates);
    stages.push_back({.num_steps = 0, .updates = updates, .conversion = true});
  }
  int64_t n = halving.start_steps;
  while (n > halving.end_steps && n % 2 == 0) {
    n /= 2;
    stages.push_back(
        {.num_steps = n, .updates = n <= 2 ? last_updates : halving.updates_per_stage});
  }
  if (n == halving.start_steps || n != halving.end_steps) {
    fail("start_steps", "end_steps " + std::to_string(halving.end_steps) + " times 2, 4, 8, ...",
         std::to_string(halving.start_steps));
  }
  return stages;
}

std::vector<Stage> RunOptions::stages() const {
  if (kind == RunKind::train) return {{.num_steps = 0, .updates = train.updates}};
  std::vector<Stage> stages = stages_of(halving);
  if (!init_sha256) return stages;
  Stage last = stages.back();
  last.substeps = halving.start_steps / halving.end_steps;
  return {last};
}

RunOptions with_updates(RunOptions options, int64_t updates, int64_t done) {
  if (options.kind != RunKind::train || options.update.anneal) {
    fail("updates", "none, for only training at a constant rate can end elsewhere",
         std::to_string(updates) +
             (options.kind == RunKind::train ? " for an annealed run" : " for a distillation"));
  }
  require_at_least(std::max<int64_t>(done, 1), "updates", updates);
  options.train.updates = updates;
  return options;
}

ModelSpec spec_of(const Config& config) {
  ModelSpec spec = config.model;
  const ImageShape image = image_shape(spec.network);
  fit(spec.network, {.image = image,
                     .output_channels = raw_channels(spec.output, image.channels),
                     .num_classes = config.conditional ? num_classes(spec.network) : 0});
  validate(spec);
  return spec;
}

void validate(const RunOptions& options) {
  validate(options.update);
  validate(options.model);
  if (options.threads && (*options.threads < 1 || *options.threads > kMostThreads)) {
    fail("threads", "1 to " + std::to_string(kMostThreads), std::to_string(*options.threads));
  }
  if (options.kind == RunKind::train) require_at_least(1, "updates", options.train.updates);
  options.stages();
  if (options.kind == RunKind::distill && options.init_sha256 && options.halving.student_output) {
    fail("student_output", "none where there is a student to begin with",
         std::string(name_of(*options.halving.student_output)));
  }
  if (options.update.precision == PrecisionChoice::bf16 && is_torchscript(options.model.network))
    fail("precision", "auto or fp32 for a TorchScript network", "bf16");
  const double label_dropout = options.update.label_dropout.value_or(0.0);
  if (label_dropout > 0.0 && !options.model.has_null_class) {
    fail("label_dropout", "0 for a model without a null class", std::to_string(label_dropout));
  }
}

}  // namespace halfstep
