#include "halfstep/train/forecast.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <utility>

#include "halfstep/checkpoint/checkpoint_every.h"
#include "halfstep/core/error.h"
#include "halfstep/data/loader.h"
#include "halfstep/io/quote.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/train/snapshots.h"
#include "halfstep/train/stage_quality.h"
#include "halfstep/train/stage_training.h"

namespace halfstep {
namespace {

using Clock = std::chrono::steady_clock;

// An update is timed with the largest batch, up to that of the run, that takes about this long.
constexpr double kSecondsOfTimedUpdate = 0.5;

// How many times as large as the parameters are the tensors that a run keeps.
struct Copies {
  double memory = 0.0;
  double disk = 0.0;
};

Copies copies_of(const RunOptions& options) {
  const double teacher = options.kind == RunKind::distill ? 1.0 : 0.0;
  // Moment matching always has an EMA of the student, and trains a second network without one.
  const bool matching = options.stages().back().kind == StageKind::match;
  const double ema = options.update.ema_decay > 0.0 || matching ? 1.0 : 0.0;
  // The parameters, two moments and the EMA; without the gradients.
  const double state = 3.0 + ema + (matching ? 3.0 : 0.0);
  const double gradients = matching ? 2.0 : 1.0;
  const double models = static_cast<double>(models_to_come(options, options.stages(), {})) +
                        teacher + (options.init_sha256 ? 1.0 : 0.0);
  // A state is written from a copy; two are saved while a third is written.
  return {.memory = 2.0 * state + gradients + teacher, .disk = 3.0 * state + models};
}

// Returns how many times as large as the parameters the copies are that a network computes with: in
// fp32, the kernels of 3 x 3 convolutions have 16 numbers for 9 on the CPU, and most parameters are
// in such; in bf16, every weight has a copy of half its size.
double computed_copies(const NetworkOptions& network, Precision precision,
                       const c10::Device& device) {
  if (is_code(network)) return 0.0;
  if (precision == Precision::bf16) return 0.5;
  return device.is_cpu() ? 16.0 / 9.0 : 0.0;
}

// Returns the number of networks that are in memory at once.
double networks_of(const Stage& stage) {
  if (stage.kind == StageKind::match) return 3.0;
  return stage.kind == StageKind::train || stage.kind == StageKind::convert ? 1.0 : 2.0;
}

// Returns the stage whose updates are timed: training, or one halving.
Stage timed_stage(const RunOptions& options) {
  if (options.kind == RunKind::train) return options.stages().back();
  const int64_t steps = options.distill.end_steps;
  return {.kind = StageKind::distill,
          .name = "",
          .folder = "",
          .num_steps = steps,
          .objective = FromTeacher{.num_steps = steps}};
}

// Returns the time of a forward call for one example in seconds: that of an update, taken as
// proportional to its batch and to its forward calls.
double seconds_per_forward(const RunOptions& options, const Network& network,
                           const data::Dataset& dataset, const c10::Device& device) {
  const Stage stage = timed_stage(options);
  const auto copy = [&] {
    std::unique_ptr<Network> copy = network.clone();
    compute_as_stage(*copy, options, stage, device);
    return copy;
  };
  StageTraining training(options, stage, stage.kind == StageKind::train ? nullptr : copy(), copy());
  const int64_t most =
      options.update.microbatch > 0 ? options.update.microbatch : options.update.batch;
  const auto seconds_of_update = [&](const UpdateExamples& examples) {
    const auto begin = Clock::now();
    training.method().update(examples, options.update.lr);
    return std::chrono::duration<double>(Clock::now() - begin).count();
  };
  for (int64_t batch = 1;; batch = std::min(2 * batch, most)) {
    const UpdateExamples examples =
        data::load_batch(dataset, {.batch_size = batch, .count = batch}, /*update=*/0);
    seconds_of_update(examples);  // the first of a size is slower
    const double seconds = seconds_of_update(examples);
    if (batch == most || seconds > kSecondsOfTimedUpdate / 2.0)
      return seconds / (stage.forwards() * static_cast<double>(batch));
  }
}

// Returns the time of the whole run in this process alone.
double seconds_alone(const RunOptions& options, const Network& network,
                     const data::Dataset& dataset, const c10::Device& device) {
  auto forwards = static_cast<double>(evaluation_calls(options));
  for (const Stage& stage : options.stages())
    forwards += static_cast<double>(stage.updates * options.update.batch) * stage.forwards();
  return forwards * seconds_per_forward(options, network, dataset, device);
}

}  // namespace

Forecast forecast(const RunOptions& options, const Network& network, const data::Dataset& dataset,
                  const c10::Device& device, int64_t processes) {
  const NetworkCost cost = network_cost(options.model.network);
  const int64_t batch = options.update.batch;
  const int64_t call = options.update.microbatch > 0 ? options.update.microbatch : batch;
  Forecast result{.stages = options.stages(), .parameters = count_parameters(network)};
  double forwards = 0.0;  // per example
  double activation_bytes = 2.0;
  double computed = 0.0;
  for (const Stage& stage : result.stages) {
    result.updates += stage.updates;
    forwards += static_cast<double>(stage.updates) * stage.forwards();
    const Precision precision = stage_precision(options, stage, device);
    if (precision == Precision::fp32) activation_bytes = 4.0;
    computed = std::max(
        computed, networks_of(stage) * computed_copies(options.model.network, precision, device));
  }
  result.images = result.updates * batch;
  if (cost.flops > 0.0) result.flops = forwards * cost.flops * static_cast<double>(batch);
  const Copies copies = copies_of(options);
  const double bytes_per_copy = static_cast<double>(result.parameters) * 4.0;
  result.memory = (copies.memory + computed) * bytes_per_copy +
                  static_cast<double>(call) * cost.activations * activation_bytes;
  result.disk = copies.disk * bytes_per_copy;
  result.seconds =
      seconds_alone(options, network, dataset, device) / static_cast<double>(processes);
  return result;
}

double seconds_of(const std::string& time, std::string_view where) {
  const std::optional<CheckpointEvery> parsed = CheckpointEvery::of(time);
  const double unit = !parsed               ? 0.0
                      : parsed->unit == 's' ? 1.0
                      : parsed->unit == 'm' ? 60.0
                      : parsed->unit == 'h' ? 3600.0
                                            : 0.0;
  if (unit == 0.0)
    throw ConfigError(where,
                      "expected a time, such as 90s, 30m or 2h, received " + io::quote(time));
  return static_cast<double>(parsed->count) * unit;
}

std::string duration_text(double seconds) {
  const double unit = seconds < 60.0 ? 1.0 : seconds < 3600.0 ? 60.0 : 3600.0;
  const double count = seconds / unit;
  std::array<char, 64> text{};  // two digits: it is an estimate
  std::snprintf(text.data(), text.size(), count < 9.95 ? "%.1f %s" : "%.0f %s", count,
                unit == 1.0    ? "seconds"
                : unit == 60.0 ? "minutes"
                               : "hours");
  return text.data();
}

std::string describe(const BudgetFit& fit) {
  std::array<char, 40> factor{};
  std::snprintf(factor.data(), factor.size(), "%.2g", fit.factor);
  return "budget: all updates would take about " + duration_text(fit.seconds) +
         "; multiplying them by " + factor.data();
}

BudgetFit fit_to_budget(parallel::ProcessGroup& group, double seconds, const RunOptions& options,
                        const Network& network, const data::Dataset& dataset,
                        const c10::Device& device) {
  // Every process must make the same updates.
  std::array<char, 32> text{};
  if (group.is_rank_zero()) {
    const double needed =
        seconds_alone(options, network, dataset, device) / static_cast<double>(group.size());
    std::snprintf(text.data(), text.size(), "%.9g", needed);
  }
  const double needed = std::stod(parallel::broadcast(group, text.data()));
  return {.seconds = needed, .factor = seconds / needed};
}

}  // namespace halfstep
