// The interface through which a run reports its progress. The command line prints it, and report/
// draws from it. Every function does nothing by default. A run calls them on its own thread; an
// exception that one of them throws ends the run.
#ifndef HALFSTEP_TRAIN_OBSERVER_H_
#define HALFSTEP_TRAIN_OBSERVER_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "halfstep/data/dataset.h"
#include "halfstep/model/model.h"
#include "halfstep/train/quality.h"
#include "halfstep/train/stats.h"

namespace halfstep {

struct UpdateRecord {
  int64_t stage = 0;  // from 0
  int64_t num_stages = 1;
  std::string_view stage_name;  // "training", "8 -> 4 steps"
  int64_t num_steps = 0;        // sampling steps of this stage's student; 0: any number
  int64_t update = 0;           // updates done in this stage
  int64_t updates = 0;          // all updates of this stage
  double loss = 0.0;
  double grad_norm = 0.0;  // before clipping
  double lr = 0.0;
  int64_t skipped = 0;                            // skipped updates of the run so far
  double images_per_second = 0.0;                 // mean over the last updates
  double seconds_left = 0.0;                      // estimate for the whole run
  std::optional<Quality> quality = std::nullopt;  // of the evaluation after this update
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  // Called before on_begin, with the data of the run.
  virtual void on_dataset(const std::shared_ptr<const data::Dataset>& /*dataset*/) {}
  // Called first of the others: the run starts in `folder`, or continues there after this many
  // updates. Updates after those that were reported earlier are repeated.
  virtual void on_begin(const std::filesystem::path& /*folder*/, int64_t /*total_updates*/) {}
  // Called with every line of log.txt.
  virtual void on_message(std::string_view /*message*/) {}
  // Called after every update.
  virtual void on_update(const UpdateRecord& /*record*/) {}
  // Called after on_update of the same update, when the line is in stats.jsonl.
  virtual void on_stats(const StatsLine& /*line*/) {}
  // Called before the first update of a distillation with the model to distil and how to show it:
  // the numbers of sampling steps that it is distilled from and that the last student has, and the
  // guidance weight that the students learn, if it is one. Sample grids belong in `folder`,
  // the run's.
  virtual void on_teacher(const std::filesystem::path& /*folder*/, const Model& /*teacher*/,
                          const std::vector<int64_t>& /*num_steps*/,
                          std::optional<double> /*guidance*/) {}
  // Called when a snapshot of the unfinished stage is saved in `folder`, after this many updates of
  // the run; a sample grid belongs there.
  virtual void on_snapshot(const std::filesystem::path& /*folder*/, const Model& /*model*/,
                           int64_t /*total_updates*/) {}
  // Called when a stage has finished and its model is saved in `folder`; sample grids belong there.
  virtual void on_stage_end(const std::filesystem::path& /*folder*/, const Model& /*model*/) {}
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OBSERVER_H_
