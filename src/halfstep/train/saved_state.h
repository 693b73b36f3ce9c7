// The saved state of a run. Together with the options and the models of finished stages, it is all
// that resume needs.
#ifndef HALFSTEP_TRAIN_SAVED_STATE_H_
#define HALFSTEP_TRAIN_SAVED_STATE_H_

#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "halfstep/checkpoint/state_slots.h"
#include "halfstep/train/loss_spikes.h"
#include "halfstep/train/optimizer.h"
#include "halfstep/train/quality_watch.h"

namespace halfstep {

// The position of a run.
struct Progress {
  int64_t stage = 0;          // index into the run's stages
  int64_t update = 0;         // updates of this stage that are done
  int64_t total_updates = 0;  // of the whole run; random draws are keyed with this number
  int64_t skipped = 0;        // updates of the whole run that were not finite
  int64_t spikes = 0;         // updates of the whole run whose loss was a spike
  double loss_sum = 0.0;      // since the last line of stats.jsonl
  int64_t loss_count = 0;
  std::optional<double> grad_norm = 0.0;  // of the last update; none: not finite
  double seconds = 0.0;                   // wall time of the updates of the whole run
  uint64_t stats_bytes = 0;               // length of stats.jsonl
  LossSpikes losses;                      // of this stage
  QualityWatch quality;                   // of this stage's evaluations

  // Forgets what belongs to the stage before.
  void begin_stage() {
    losses = {};
    quality = {};
  }
};

struct SavedState {
  Progress progress;
  std::map<std::string, OptimizerState> networks;  // by the name of the trained network
  nlohmann::json fingerprint;
  // The weights of the best model of this stage, float32, in the layout of the optimizer's vectors;
  // undefined if no evaluation has found one.
  Tensor best = {};
  // The SHA-256 of the model of each stage that is finished, by the path in the run's folder.
  std::map<std::string, std::string> models = {};
  std::string damage = {};  // why the newest state could not be loaded; empty if it was
  std::string stats_damage =
      {};  // how stats.jsonl differs from the one saved; empty if it does not
};

// Copies the state into `image`, whose memory is reused. Throws TrainingError if a number is not
// finite: nothing can be continued from such a state, and the one that it would replace is better.
void store(const SavedState& state, StateImage& image);

// Loads the newest whole state; none if nothing has been saved yet. Throws FormatError if
// states exist but none is whole and of this version.
std::optional<SavedState> load_state(StateSlots& slots);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_SAVED_STATE_H_
