// The lines of stats.jsonl: the exact record of a run.
#ifndef HALFSTEP_TRAIN_STATS_H_
#define HALFSTEP_TRAIN_STATS_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <vector>

#include "halfstep/train/quality.h"

namespace halfstep {

// One line, written every log_every updates, at each evaluation and at the end of each stage.
struct StatsLine {
  int64_t stage = 0;          // index into the run's stages
  int64_t num_steps = 0;      // sampling steps of the stage's student; 0: any number
  int64_t update = 0;         // updates done in this stage
  int64_t total_updates = 0;  // updates done in the run
  // Mean since the line before; none if no loss was finite.
  std::optional<double> loss = std::nullopt;
  std::optional<double> grad_norm = std::nullopt;  // of the last update; none: not finite
  double lr = 0.0;                                 // of the last update
  int64_t skipped = 0;                             // skipped updates of the run so far
  int64_t spikes = 0;                              // updates with a loss far above the recent ones
  double images_per_second = 0.0;                  // mean over about the last 50 updates
  double seconds = 0.0;                            // wall time of the run's updates
  std::optional<Quality> quality = std::nullopt;   // of the evaluation after the last update

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("stage", self.stage, "an integer");
    visit("num_steps", self.num_steps, "an integer");
    visit("update", self.update, "an integer");
    visit("total_updates", self.total_updates, "an integer");
    visit("loss", self.loss, "a number or null");
    visit("grad_norm", self.grad_norm, "a number or null");
    visit("lr", self.lr, "a number");
    visit("skipped", self.skipped, "an integer");
    visit("spikes", self.spikes, "an integer");
    visit("images_per_second", self.images_per_second, "a number");
    visit("seconds", self.seconds, "a number");
  }
};

// Returns the line as JSON: its fields, and `evaluation` if there was one.
nlohmann::json to_json(const StatsLine& line);

// Returns all lines of the file; none if there is no file. Skips an incomplete last line, which a
// killed run may leave. Throws FormatError, which names the line, for a malformed line.
std::vector<StatsLine> read_stats(const std::filesystem::path& path);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STATS_H_
