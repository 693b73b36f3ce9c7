// The stages of a run. Each trains one network, from its first update to its last.
#ifndef HALFSTEP_TRAIN_STAGE_H_
#define HALFSTEP_TRAIN_STAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/model/model.h"
#include "halfstep/objective/objective_options.h"
#include "halfstep/train/distill_options.h"

namespace halfstep {

enum class StageKind {
  train,    // from data
  convert,  // from data and from the teacher's weights: the teacher with another output
  guide,    // from a guided teacher: the teacher with the guidance in its weights or its input
  distill,  // from a teacher, by regression
  match     // from a teacher, by moment matching
};

struct Stage {
  StageKind kind = StageKind::train;
  std::string name;       // for messages: "training", "8 -> 4 steps"
  std::string folder;     // of its model, in the run's: "", "converted", "guided", "stage-0004"
  int64_t num_steps = 0;  // sampling steps of its model; 0: any number
  ObjectiveOptions objective = FromData{};  // of all kinds but match
  int64_t updates = 0;
  // The weights that its model was distilled for, in this stage or before; none: as its teacher.
  std::optional<GuidanceRange> guidance = std::nullopt;

  // Returns the spec of its model, which descends from a teacher (or, trained from data, is a
  // model) of this spec: how it must be sampled, and whether its network takes the guidance weight.
  ModelSpec spec_of_model(const ModelSpec& teacher) const;
  // Returns the sampling steps of the teacher that the student's steps replace; 0 if they replace
  // none.
  int64_t teacher_steps() const { return num_steps * teacher_calls(objective); }
  // Returns the work of one update, in forward calls of the network on the same batch.
  double forwards() const;
};

// Describes the stages in one line: "8 -> 4 steps: 180 updates; moment matching, 4 steps: 360
// updates".
std::string describe(const std::vector<Stage>& stages);

// The width of the embedding of the guidance weight in networks that distillation gives that input,
// which is that of latent consistency models in diffusers.
inline constexpr int64_t kGuidanceChannels = 256;

// Returns the single stage of training from data. Throws ConfigError unless updates is from 1 to
// 10^9.
Stage training_stage(int64_t updates);

// Returns the stages of a distillation: a conversion where student_output is set, a stage that
// learns the guided teacher where guidance is on, then one stage per number of steps (halving) or
// one for all (direct), then moment matching where it is the method or match_updates is set.
// Options without a method halve. Throws ConfigError unless start_steps is end_steps times 2, 4, 8,
// ... (halving) or times 1, 2, 3, ... (direct).
std::vector<Stage> distillation_stages(const DistillOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STAGE_H_
