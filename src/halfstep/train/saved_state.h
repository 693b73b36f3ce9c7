// All that a run is resumed from, beside its options and the models of finished stages.
#ifndef HALFSTEP_TRAIN_SAVED_STATE_H_
#define HALFSTEP_TRAIN_SAVED_STATE_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "halfstep/train/loss_spikes.h"
#include "halfstep/train/optimizer.h"
#include "halfstep/checkpoint/state_slots.h"

namespace halfstep {

// Where a run stands.
struct Progress {
  int64_t stage = 0;          // index into the run's stages
  int64_t update = 0;         // updates of this stage that are done
  int64_t total_updates = 0;  // of the whole run; the number that random draws are keyed with
  int64_t skipped = 0;        // updates of the whole run that were not finite
  int64_t spikes = 0;         // updates of the whole run whose loss was one
  double loss_sum = 0.0;      // since the last line of stats.jsonl
  int64_t loss_count = 0;
  double seconds = 0.0;      // spent in updates by the whole run
  uint64_t stats_bytes = 0;  // length of stats.jsonl
  LossSpikes losses;         // of this stage
};

struct SavedState {
  Progress progress;
  OptimizerState optimizer;
  nlohmann::json fingerprint;
  std::string damage;  // loaded in place of a newer state: what is wrong with that
};

// Copies everything into `image`, whose memory is used again.
void store(const SavedState& state, StateImage& image);

// The newest state that is whole; none where nothing was saved yet. Throws FormatError where states
// exist but none is whole and of this version.
std::optional<SavedState> load_state(StateSlots& slots);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_SAVED_STATE_H_
