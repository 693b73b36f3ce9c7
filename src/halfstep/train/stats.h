// The lines of stats.jsonl: a run's exact record.
#ifndef HALFSTEP_TRAIN_STATS_H_
#define HALFSTEP_TRAIN_STATS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

namespace halfstep {

// One line, every log_every updates and at the last of each stage.
struct StatsLine {
  int64_t num_steps = 0;      // N of the stage; 0: training
  int64_t update = 0;         // done in this stage
  int64_t total_updates = 0;  // done in the run
  std::optional<double> loss =
      std::nullopt;  // mean since the line before; none: nothing was finite
  std::optional<double> grad_norm = std::nullopt;  // of the last update; none: not finite
  double lr = 0.0;                                 // of the last update
  int64_t skipped = 0;                             // updates of the run that were not finite
  int64_t spikes = 0;                              // updates whose loss was one (loss_spikes.h)
  double images_per_second = 0.0;                  // of the last 50 updates, about
  double seconds = 0.0;                            // spent in updates by the run

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
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

// All lines of the file, none where there is no file. A last line without its end, as a killed run
// leaves it, is left out. Throws FormatError, naming the line, for one that is not of this form.
std::vector<StatsLine> read_stats(const std::filesystem::path& path);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_STATS_H_
