// Reports the progress of a run: lines of log.txt and stats.jsonl, and calls of its observer. Ranks
// other than 0 report nothing.
#ifndef HALFSTEP_TRAIN_JOURNAL_H_
#define HALFSTEP_TRAIN_JOURNAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/train/method.h"
#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_directory.h"
#include "halfstep/train/saved_state.h"

namespace halfstep {

class Journal {
 public:
  // `directory` is null in ranks other than 0; `stages` are those of `options`. All of them must
  // outlive this object.
  Journal(const RunDirectory* directory, const RunOptions& options,
          const std::vector<Stage>& stages, TrainObserver& observer);

  // Writes a line to log.txt and passes it to the observer.
  void write(const std::string& message);

  // Writes where the run continues, and what is damaged or differs from the session before.
  void write_resumed(const SavedState& saved, const nlohmann::json& fingerprint);

  // Restarts the reported rate: it counts only updates from here on.
  void begin_stage() { timed_ = 0; }

  // Counts the last update in `progress`, which took `seconds`: adds its loss to `progress` unless
  // it was skipped, and reports a spike.
  void count(const UpdateReport& report, double seconds, Progress& progress);

  // Every log_every updates, after an evaluation and after the last update of a stage, appends a
  // line to stats.jsonl and returns it.
  std::optional<StatsLine> line(double lr, const std::optional<Quality>& quality,
                                Progress& progress);

  // Passes the last update in `progress`, and its line of statistics, if any, to the observer.
  void announce(const UpdateReport& report, double lr, const Progress& progress,
                const std::optional<StatsLine>& line);

 private:
  void count_loss(double loss, Progress& progress);
  double images_per_second() const;
  double seconds_left(const Progress& progress) const;
  StatsLine write_statistics(double lr, const std::optional<Quality>& quality, Progress& progress);

  const RunDirectory* const directory_;
  const RunOptions& options_;
  const std::vector<Stage>& stages_;
  TrainObserver& observer_;
  std::optional<int64_t> reported_spike_;  // the update of the last reported spike
  // The number of updates of this stage in this process, at most kPaceUpdates, and their mean time.
  int64_t timed_ = 0;
  double seconds_per_update_ = 0.0;
  double seconds_per_evaluation_ = 0.0;  // of the last evaluation in this process
};

// Formats a number for messages, with three significant digits.
std::string three_digits(double value);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_JOURNAL_H_
