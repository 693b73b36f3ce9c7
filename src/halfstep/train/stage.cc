#include "halfstep/train/stage.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "halfstep/diffusion/schedule.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/train/checked.h"

namespace halfstep {
namespace {

std::string folder_of(int64_t num_steps) {
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "stage-%04lld", static_cast<long long>(num_steps));
  return name.data();
}

Stage conversion_stage(const DistillOptions& options) {
  const int64_t updates = options.convert_updates.value_or(options.updates_per_stage);
  require_updates("convert_updates", updates);
  return {.kind = StageKind::convert,
          .name = "conversion to output " + std::string(name_of(*options.student_output)),
          .folder = "converted",
          .updates = updates};
}

Stage distillation_stage(const DistillOptions& options, int64_t num_steps, int64_t substeps) {
  const int64_t last_updates =
      options.last_updates.value_or(std::min(2 * options.updates_per_stage, kMostUpdates));
  require_updates("last_updates", last_updates);
  return {
      .kind = StageKind::distill,
      .name = std::to_string(num_steps * substeps) + " -> " + std::to_string(num_steps) + " steps",
      .folder = folder_of(num_steps),
      .num_steps = num_steps,
      .objective = FromTeacher{.num_steps = num_steps, .substeps = substeps},
      .updates = num_steps <= 2 ? last_updates : options.updates_per_stage};
}

[[noreturn]] void fail_start_steps(const DistillOptions& options, const std::string& factors) {
  fail_option(
      "start_steps",
      "the final number of steps, " + std::to_string(options.end_steps) + ", times " + factors,
      std::to_string(options.start_steps));
}

}  // namespace

double Stage::forwards() const {
  return kForwardsOfTraining + static_cast<double>(teacher_calls(objective));
}

Stage training_stage(int64_t updates) {
  require_updates("updates", updates);
  return {.kind = StageKind::train, .name = "training", .folder = "", .updates = updates};
}

std::vector<Stage> distillation_stages(const DistillOptions& options) {
  require_between(1, kMostSteps, "end_steps", options.end_steps);
  require_between(1, kMostSteps, "start_steps", options.start_steps);
  require_updates("updates_per_stage", options.updates_per_stage);
  std::vector<Stage> stages;
  if (options.student_output) stages.push_back(conversion_stage(options));
  if (options.method == DistillMethod::direct) {
    if (options.start_steps < options.end_steps || options.start_steps % options.end_steps != 0)
      fail_start_steps(options, "1, 2, 3, ...");
    stages.push_back(
        distillation_stage(options, options.end_steps, options.start_steps / options.end_steps));
    return stages;
  }
  int64_t n = options.start_steps;
  while (n > options.end_steps && n % 2 == 0) {
    n /= 2;
    stages.push_back(distillation_stage(options, n, 2));
  }
  if (n == options.start_steps || n != options.end_steps) fail_start_steps(options, "2, 4, 8, ...");
  return stages;
}

}  // namespace halfstep
