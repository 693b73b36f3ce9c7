// Settings of a distillation. Flag, JSON key and field have the same name.
#ifndef HALFSTEP_TRAIN_DISTILL_OPTIONS_H_
#define HALFSTEP_TRAIN_DISTILL_OPTIONS_H_

#include <cstdint>
#include <optional>

#include "halfstep/core/enum_names.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/diffusion/parameterization.h"
#include "halfstep/train/checked.h"

namespace halfstep {

// How the number of steps is reduced.
enum class DistillMethod {
  halving,  // progressive distillation: N = start_steps / 2, start_steps / 4, ..., end_steps
  direct,   // one student of end_steps, whose target is start_steps / end_steps teacher steps
  moment_matching  // one student of end_steps, whose samples have the moments of the data
};

template <>
struct EnumNames<DistillMethod> {
  static constexpr auto kNames = std::to_array<std::pair<DistillMethod, std::string_view>>(
      {{DistillMethod::halving, "halving"},
       {DistillMethod::direct, "direct"},
       {DistillMethod::moment_matching, "moment-matching"}});
};

// What happens when a student is worse at the end of its stage than at the start, that is, if its
// loss on batches that no stage trains on has risen and is above 0.001: warn and continue, or stop
// with the state saved.
enum class OnDivergence { warn, stop };

template <>
struct EnumNames<OnDivergence> {
  static constexpr auto kNames = std::to_array<std::pair<OnDivergence, std::string_view>>(
      {{OnDivergence::warn, "warn"}, {OnDivergence::stop, "stop"}});
};

// A network that predicts eps cannot be distilled to few steps: near pure noise
// x = (z - sin(phi) eps) / cos(phi) amplifies its errors (Salimans & Ho 2022, section 4). Where
// student_output differs from the teacher's output, a conversion stage comes first: a copy of the
// teacher is trained from data (Algorithm 1) to predict student_output, and then serves as the
// teacher.
//
// Where guidance is on, a stage follows in which a copy of the teacher learns the guided teacher at
// all times (objective/guided_objective.h). It is the teacher of all later stages, which do not
// guide it again.
//
// Without a method, choose_method (train/recipe.h) picks one. Moment matching follows the halvings,
// or a direct distillation, where match_updates is set.
struct DistillOptions {
  std::optional<DistillMethod> method = std::nullopt;
  int64_t start_steps = 1024;
  int64_t end_steps = 4;
  int64_t updates_per_stage = 50'000;
  std::optional<int64_t> last_updates = std::nullopt;
  std::optional<Output> student_output = std::nullopt;
  std::optional<int64_t> convert_updates = std::nullopt;
  GuidanceRange guidance;
  std::optional<int64_t> guide_updates = std::nullopt;
  std::optional<int64_t> match_updates = std::nullopt;
  double match_lr = 1e-4;
  OnDivergence on_divergence = OnDivergence::warn;

  // The default for stages that need more updates than a halving to many steps.
  int64_t twice_updates_per_stage() const {
    return updates_per_stage < kMostUpdates / 2 ? 2 * updates_per_stage : kMostUpdates;
  }

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit(
        "method", self.method,
        "halving: halve the sampling steps stage by stage; direct: train one student that takes "
        "several of the teacher's steps at once; moment-matching: train one student whose samples "
        "look to the teacher like the data (default: chosen for the number of steps: halving, and "
        "moment matching after it for 8 steps or fewer)");
    visit("start_steps", self.start_steps,
          "Sampling steps of the teacher: --end-steps times a power of two, or times any integer "
          "with --method direct; for a distilled teacher, the steps it was distilled to");
    visit("end_steps", self.end_steps, "Sampling steps of the final student");
    visit("updates_per_stage", self.updates_per_stage,
          "Updates per stage (a halving, or the whole of --method direct)");
    visit("last_updates", self.last_updates,
          "Updates per stage for students of 2 steps and 1 step (default: twice "
          "--updates-per-stage)");
    visit("student_output", self.student_output,
          "Prediction type of the students (default: the teacher's); another type adds a stage "
          "that converts the teacher first");
    visit("convert_updates", self.convert_updates,
          "Updates of the stage that converts the teacher (default: --updates-per-stage)");
    visit("guidance", self.guidance,
          "Classifier-free guidance of the teacher, which the students learn to need only one call "
          "for: a weight, which becomes part of the students, or a range, of which the students "
          "take a weight as an input; adds a stage that comes before the others (1: off)");
    visit("guide_updates", self.guide_updates,
          "Updates of the stage that learns the guided teacher (default: --updates-per-stage)");
    visit("match_updates", self.match_updates,
          "Updates of moment matching: after the stages of --method halving or direct (default: "
          "none), or of the method itself (default: twice --updates-per-stage)");
    visit("match_lr", self.match_lr, "Peak learning rate of moment matching");
    visit("on_divergence", self.on_divergence,
          "What to do if a student's held-out loss is higher at the end of its stage than at the "
          "start");
  }
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DISTILL_OPTIONS_H_
