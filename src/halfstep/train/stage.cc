#include "halfstep/train/stage.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "halfstep/diffusion/schedule.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/train/checked.h"

namespace halfstep {
namespace {

std::string folder_of(const char* kind, int64_t num_steps) {
  std::array<char, 40> name{};
  std::snprintf(name.data(), name.size(), "%s-%04lld", kind, static_cast<long long>(num_steps));
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

Stage guiding_stage(const DistillOptions& options) {
  const int64_t updates = options.guide_updates.value_or(options.updates_per_stage);
  require_updates("guide_updates", updates);
  return {.kind = StageKind::guide,
          .name = "guidance " + options.guidance.text(),
          .folder = "guided",
          .objective = FromGuidedTeacher{},
          .updates = updates};
}

Stage distillation_stage(const DistillOptions& options, int64_t num_steps, int64_t substeps) {
  const int64_t last_updates = options.last_updates.value_or(options.twice_updates_per_stage());
  require_updates("last_updates", last_updates);
  return {
      .kind = StageKind::distill,
      .name = std::to_string(num_steps * substeps) + " -> " + std::to_string(num_steps) + " steps",
      .folder = folder_of("stage", num_steps),
      .num_steps = num_steps,
      .objective = FromTeacher{.num_steps = num_steps, .substeps = substeps},
      .updates = num_steps <= 2 ? last_updates : options.updates_per_stage};
}

Stage matching_stage(const DistillOptions& options) {
  const int64_t updates = options.match_updates.value_or(options.twice_updates_per_stage());
  require_updates("match_updates", updates);
  if (!(options.match_lr > 0.0 && options.match_lr <= 1.0))
    fail_option("match_lr", "a number in (0, 1]", std::to_string(options.match_lr));
  const std::string steps = std::to_string(options.end_steps);
  return {.kind = StageKind::match,
          .name = "moment matching, " + steps + (options.end_steps == 1 ? " step" : " steps"),
          .folder = folder_of("matched", options.end_steps),
          .num_steps = options.end_steps,
          .updates = updates};
}

[[noreturn]] void fail_start_steps(const DistillOptions& options, const std::string& factors) {
  fail_option(
      "start_steps",
      "the final number of steps, " + std::to_string(options.end_steps) + ", times " + factors,
      std::to_string(options.start_steps));
}

void append_halvings(const DistillOptions& options, std::vector<Stage>& stages) {
  int64_t n = options.start_steps;
  while (n > options.end_steps && n % 2 == 0) {
    n /= 2;
    stages.push_back(distillation_stage(options, n, 2));
  }
  if (n == options.start_steps || n != options.end_steps) fail_start_steps(options, "2, 4, 8, ...");
}

}  // namespace

ModelSpec Stage::spec_of_model(const ModelSpec& teacher) const {
  ModelSpec spec = teacher;
  spec.sampling = {.num_steps = num_steps,
                   .guidance_min = teacher.sampling.guidance_min,
                   .guidance_max = teacher.sampling.guidance_max};
  if (kind == StageKind::match) {
    spec.sampling.sampler = Sampler::ancestral;
    spec.sampling.variance = 0.0;
  }
  if (guidance) {
    spec.sampling.guidance_min = guidance->min;
    spec.sampling.guidance_max = guidance->max;
    if (!guidance->is_fixed()) set_guidance_channels(spec.network, kGuidanceChannels);
  }
  return spec;
}

double Stage::forwards() const {
  // A student and an auxiliary network are trained, and the teacher is called once.
  if (kind == StageKind::match) return 2.0 * kForwardsOfTraining + 1.0;
  return kForwardsOfTraining + static_cast<double>(teacher_calls(objective));
}

std::string describe(const std::vector<Stage>& stages) {
  std::string text;
  for (const Stage& stage : stages) {
    text +=
        (text.empty() ? "" : "; ") + stage.name + ": " + std::to_string(stage.updates) + " updates";
  }
  return text;
}

Stage training_stage(int64_t updates) {
  require_updates("updates", updates);
  return {.kind = StageKind::train, .name = "training", .folder = "", .updates = updates};
}

std::vector<Stage> distillation_stages(const DistillOptions& options) {
  require_between(1, kMostSteps, "end_steps", options.end_steps);
  require_between(1, kMostSteps, "start_steps", options.start_steps);
  require_updates("updates_per_stage", options.updates_per_stage);
  const DistillMethod method = options.method.value_or(DistillMethod::halving);
  std::vector<Stage> stages;
  if (options.student_output) stages.push_back(conversion_stage(options));
  const size_t unguided = stages.size();
  if (options.guidance.is_on()) stages.push_back(guiding_stage(options));
  if (method == DistillMethod::halving) append_halvings(options, stages);
  if (method == DistillMethod::direct) {
    if (options.start_steps < options.end_steps || options.start_steps % options.end_steps != 0)
      fail_start_steps(options, "1, 2, 3, ...");
    stages.push_back(
        distillation_stage(options, options.end_steps, options.start_steps / options.end_steps));
  }
  if (method == DistillMethod::moment_matching || options.match_updates)
    stages.push_back(matching_stage(options));
  for (size_t i = unguided; i < stages.size() && options.guidance.is_on(); ++i)
    stages[i].guidance = options.guidance;
  return stages;
}

}  // namespace halfstep
