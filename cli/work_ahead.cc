#include "cli/work_ahead.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "cli/measure.h"
#include "halfstep/io/array.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/train/snapshots.h"
#include "halfstep/train/stage_quality.h"
#include "halfstep/train/stage_training.h"

namespace halfstep::cli {
namespace {

std::string line(const char* name, const std::string& value) {
  std::array<char, 32> label{};
  std::snprintf(label.data(), label.size(), "%-12s", name);
  return label.data() + value + "\n";
}

std::string number(double value, const char* unit) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.4g %s", value, unit);
  return text.data();
}

// An update is timed with the largest batch, up to that of the run, that takes about this long.
constexpr double kSecondsOfTimedUpdate = 0.5;

constexpr double kMib = 1024.0 * 1024.0;

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

}  // namespace

double estimated_seconds(const RunOptions& options, const Network& network,
                         const c10::Device& device) {
  std::unique_ptr<Network> copy = network.clone();
  copy->to(device);
  const std::vector<Stage> stages = options.stages();
  const Stage& last = stages.back();
  const Operation operation = last.kind == StageKind::match     ? Operation::match
                              : last.kind == StageKind::distill ? Operation::distill
                                                                : Operation::train;
  UpdateOptions update = options.update;
  const int64_t most = update.microbatch > 0 ? update.microbatch : update.batch;
  update.microbatch = 0;
  update.batch = 1;
  Subject subject{
      .name = "",
      .model = Model(options.model, std::move(copy), stage_precision(options, last, device))};
  double seconds = 0.0;
  for (;; update.batch = std::min(2 * update.batch, most)) {
    subject.train = update;
    subject.distill = update;
    seconds = seconds_per_update(subject, operation, /*runs=*/1);
    if (update.batch == most || seconds > kSecondsOfTimedUpdate / 2.0) break;
  }
  const double per_forward = seconds / (forwards_of(operation) * static_cast<double>(update.batch));
  double forwards = static_cast<double>(evaluation_calls(options));
  for (const Stage& stage : stages) {
    forwards += static_cast<double>(stage.updates * options.update.batch) * stage.forwards();
  }
  return forwards * per_forward;
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

std::string describe_work(const RunOptions& options, const Network& network,
                          const data::DatasetInfo& data, const c10::Device& device,
                          int64_t processes) {
  const int64_t parameters = count_parameters(network);
  const NetworkCost cost = network_cost(options.model.network);
  const auto batch = static_cast<double>(options.update.batch);
  const double call =
      options.update.microbatch > 0 ? static_cast<double>(options.update.microbatch) : batch;

  double updates = 0.0;
  double forwards = 0.0;  // forward passes per example, over all updates
  double activation_bytes = 2.0;
  for (const Stage& stage : options.stages()) {
    updates += static_cast<double>(stage.updates);
    forwards += static_cast<double>(stage.updates) * stage.forwards();
    if (stage_precision(options, stage, device) == Precision::fp32) activation_bytes = 4.0;
  }
  const Copies copies = copies_of(options);
  const double mib_per_copy = static_cast<double>(parameters) * 4.0 / kMib;
  const double mib =
      copies.memory * mib_per_copy + call * cost.activations * activation_bytes / kMib;

  std::string text = "options     " + to_json(options).dump(2) + "\n";
  text += line("data", data.name + " (" + data.format + "): " + std::to_string(data.size) +
                           (data.holds_images() ? " images" : " examples") + " of shape " +
                           io::to_string(data.shape()) + ", " + std::to_string(data.num_classes) +
                           " classes");
  text += line("parameters", std::to_string(parameters));
  const bool known = cost.flops > 0.0;
  text +=
      line("memory",
           "about " + number(mib, "MiB in addition to the program and its libraries") +
               (known ? "" : ", and the activations that the network keeps for the backward pass"));
  text += line("stages", describe(options.stages()));
  text += line(
      "work",
      number(updates, "updates, ") + number(updates * batch, "images") +
          (known ? ", " +
                       number(forwards * cost.flops * batch / updates / 1e9, "GFLOP per update, ") +
                       number(forwards * cost.flops * batch / 1e15, "PFLOP in total")
                 : ""));
  text += line("disk", "about " + number(copies.disk * mib_per_copy, "MiB"));
  if (!is_image(options.model.network)) return text;
  const double seconds =
      estimated_seconds(options, network, device) / static_cast<double>(processes);
  text += line("time", "about " + duration_text(seconds) +
                           ", estimated from the time of single updates on this machine");
  return text;
}

}  // namespace halfstep::cli
