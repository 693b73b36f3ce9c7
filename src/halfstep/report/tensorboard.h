#ifndef HALFSTEP_REPORT_TENSORBOARD_H_
#define HALFSTEP_REPORT_TENSORBOARD_H_

#include <cstdint>
#include <filesystem>
#include <optional>

#include "halfstep/io/tfevents.h"
#include "halfstep/train/observer.h"

namespace halfstep::report {

// Writes a run's numbers and pictures for TensorBoard into the run's folder, one event file a
// session. `tensorboard --logdir runs` shows every run under its folder's name.
//
// Scalars `loss`, `grad_norm`, `lr` and `images_per_second`, in a distillation `num_steps` too, are
// those of stats.jsonl, a point a line, so the files stay small; what is null there has no point.
// `samples` is a stage's samples.png.
//
// The step is the number of updates of the whole run, and all stages share their tags. So a run has
// five charts however many stages it has, two runs are compared on one chart, the slider of
// `samples` goes through the stages, and num_steps tells which is which. It also is what lets a
// resumed run be exact: TensorBoard drops whatever has the step that a session starts at or a later
// one, whichever its tag; steps that began anew with each stage would lose the points of the stages
// before. A session that goes on after update u starts at step u + 1: what the killed one wrote
// past its last saved state is written again and shown once.
//
// stats.jsonl stays the exact record: values are 32-bit floats here.
class TensorBoardEvents final : public TrainObserver {
 public:
  void on_begin(const std::filesystem::path& folder, int64_t total_updates) override;
  void on_stats(const StatsLine& line) override;
  // Where there is a samples.png in `folder`: StageGrid, which draws it, comes before this
  // observer.
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  void append(const std::string& event);

  std::filesystem::path run_folder_;
  std::optional<io::EventFile> file_;  // made when there is something to write
  int64_t begin_ = 0;                  // updates made by the sessions before
  int64_t total_updates_ = 0;          // at the last line
};

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_TENSORBOARD_H_
