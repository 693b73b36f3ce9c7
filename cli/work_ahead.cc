#include "cli/work_ahead.h"

#include <array>
#include <cstdio>
#include <nlohmann/json.hpp>

#include "halfstep/io/array.h"
#include "halfstep/nn/network_cost.h"
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

}  // namespace

std::string describe_work(const RunOptions& options, int64_t parameters,
                          const data::DatasetInfo& data, const c10::Device& device) {
  const NetworkCost cost = network_cost(options.model.network);
  const bool distilling = options.kind == RunKind::distill;
  const auto batch = static_cast<double>(options.update.batch);
  const double call =
      options.update.microbatch > 0 ? static_cast<double>(options.update.microbatch) : batch;

  double updates = 0.0;
  double forwards = 0.0;  // forward passes per example, over all updates
  double activation_bytes = 2.0;
  std::string stages;
  for (const Stage& stage : options.stages()) {
    updates += static_cast<double>(stage.updates);
    forwards += static_cast<double>(stage.updates) * stage.forwards();
    if (stage_precision(options, stage, device) == Precision::fp32) activation_bytes = 4.0;
    stages += (stages.empty() ? "" : ", ") + stage.name + ": " + std::to_string(stage.updates) +
              " updates";
  }
  // Parameters, gradient and two moments; the EMA; the teacher; the copy that a state is written
  // from.
  const double ema = options.update.ema_decay > 0.0 ? 1.0 : 0.0;
  const double copies = 4.0 + ema + (distilling ? 1.0 : 0.0) + 3.0 + ema;
  const double mib = (copies * static_cast<double>(parameters) * 4.0 +
                      call * cost.activations * activation_bytes) /
                     (1024.0 * 1024.0);

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
  text += line("stages", stages);
  text += line(
      "work",
      number(updates, "updates, ") + number(updates * batch, "images") +
          (known ? ", " +
                       number(forwards * cost.flops * batch / updates / 1e9, "GFLOP per update, ") +
                       number(forwards * cost.flops * batch / 1e15, "PFLOP in total")
                 : ""));
  return text;
}

}  // namespace halfstep::cli
