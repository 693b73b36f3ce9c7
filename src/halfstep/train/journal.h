// Reports a run as it goes: lines of log.txt and stats.jsonl, and calls of its observer. Ranks other
// than 0 have no folder and report nothing.
#ifndef HALFSTEP_TRAIN_JOURNAL_H_
#define HALFSTEP_TRAIN_JOURNAL_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/train/observer.h"
#include "halfstep/train/options.h"
#include "halfstep/train/run_directory.h"
#include "halfstep/train/saved_state.h"
#include "halfstep/train/method.h"

namespace halfstep {

class Journal {
 public:
  // `directory` is null in ranks other than 0; `stages` are those of `options`. All four must outlive
  // this.
  Journal(const RunDirectory* directory, const RunOptions& options,
          const std::vector<Stage>& stages, TrainObserver& observer);

  // Writes a line to log.txt and passes it to the observer.
  void write(const std::string& message);

  // Makes the reported rate that of the updates after this.
  void begin_stage() { timed_ = 0; }

  // Reports the update that `progress` has just counted and that took `seconds`. Adds a finite loss
  // to the counts of `progress`; counts and reports it if it is a spike. Writes a line of statistics
  // every log_every updates and after the last update of a stage.
  void record(const UpdateReport& report, double lr, double seconds, Progress& progress);

 private:
  void count(double loss, Progress& progress);
  double images_per_second() const;
  double seconds_left(const Progress& progress) const;
  void write_statistics(const UpdateReport& report, double lr, Progress& progress);

  const RunDirectory* const directory_;
  const RunOptions& options_;
  const std::vector<Stage>& stages_;
  TrainObserver& observer_;
  std::optional<int64_t> reported_spike_;  // the update of the last spike that was reported
  // Updates of this stage in this process, at most kPaceUpdates, and their running mean.
  int64_t timed_ = 0;
  double seconds_per_update_ = 0.0;
};

// Formats a number for messages, with three significant digits.
std::string number(double value);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_JOURNAL_H_
