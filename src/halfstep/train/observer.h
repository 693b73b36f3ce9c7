// How a run tells what happens. The command line prints, report/ draws, tests record.
#ifndef HALFSTEP_TRAIN_OBSERVER_H_
#define HALFSTEP_TRAIN_OBSERVER_H_

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "halfstep/model/model.h"
#include "halfstep/train/stats.h"

namespace halfstep {

struct UpdateRecord {
  int64_t stage = 0;  // from 0
  int64_t num_stages = 1;
  int64_t num_steps = 0;      // N of this stage; 0: training
  int64_t teacher_steps = 0;  // of its teacher
  int64_t update = 0;         // done in this stage
  int64_t updates = 0;        // of this stage
  double loss = 0.0;
  double grad_norm = 0.0;  // before clipping
  double lr = 0.0;
  int64_t skipped = 0;             // updates of the run so far that were not finite
  double images_per_second = 0.0;  // of the last updates
  double seconds_left = 0.0;       // of the whole run
};

class TrainObserver {
 public:
  virtual ~TrainObserver() = default;
  // The run begins, or goes on after this many updates; later ones that were told of before are
  // made again.
  virtual void on_begin(int64_t /*total_updates*/) {}
  virtual void on_message(std::string_view /*message*/) {}
  virtual void on_update(const UpdateRecord& /*record*/) {}
  // After on_update of the same update: this line is in stats.jsonl now.
  virtual void on_stats(const StatsLine& /*line*/) {}
  // A stage is finished and its model saved in `folder`; pictures of it belong there too.
  virtual void on_stage_end(const std::filesystem::path& /*folder*/, const Model& /*model*/) {}
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OBSERVER_H_
