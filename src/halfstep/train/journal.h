// What a run tells as it goes: lines of log.txt and stats.jsonl, and what its observer is told. The
// processes of a run that are not the root have no folder and tell nothing.
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
#include "halfstep/train/update.h"

namespace halfstep {

class Journal {
 public:
  // `directory` is null where the process is not the root; `stages` are those of `options`. All
  // four outlive this.
  Journal(const RunDirectory* directory, const RunOptions& options,
          const std::vector<Stage>& stages, TrainObserver& observer);

  // A line of log.txt, and a message to the observer.
  void tell(const std::string& message);

  // The rate that is told is of the updates after this.
  void begin_stage() { timed_ = 0; }

  // Tells of the update that `progress` has just counted and that took `seconds`. A finite loss is
  // counted in there; one that is a spike is counted and told of. Every log_every updates, and at a
  // stage's last, a line of statistics is written.
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
  std::optional<int64_t> told_spike_;  // update of the last that was told of
  // Of the stage's updates in this process: how many, up to kPaceUpdates, and the mean that the
  // last so many weigh in.
  int64_t timed_ = 0;
  double seconds_per_update_ = 0.0;
};

// For messages: three digits.
std::string number(double value);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_JOURNAL_H_
