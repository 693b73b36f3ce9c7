#ifndef HALFSTEP_REPORT_TENSORBOARD_H_
#define HALFSTEP_REPORT_TENSORBOARD_H_

#include <cstdint>
#include <filesystem>
#include <optional>

#include "halfstep/io/tfevents.h"
#include "halfstep/train/observer.h"

namespace halfstep::report {

// Writes the numbers and pictures of a run for TensorBoard into the run's folder, one event file
// per session. `tensorboard --logdir runs` shows every run under the name of its folder.
//
// The scalars `loss`, `grad_norm`, `lr` and `images_per_second`, and `num_steps` in a distillation,
// are those of stats.jsonl: one point per line, so that the files stay small, and no point for
// null. Lines with an evaluation add `evaluation/` and the name of the distance, pixel_mean,
// pixel_deviation, data_mean and data_deviation. The image `samples` is the samples.png of a stage,
// and of each snapshot before its end.
//
// The step is the number of updates of the whole run, and all stages share their tags. So a run has
// five charts for any number of stages, two runs can be compared in one chart, the slider of
// `samples` goes through the stages, and num_steps shows which stage is which. This also makes
// resumed runs exact: TensorBoard drops every point, of any tag, whose step is not before the start
// of a later session. If steps restarted with each stage, the points of earlier stages would be
// lost. A session that resumes after update u starts at step u + 1; the points that a killed
// session wrote after its last saved state are written again and shown once.
//
// The exact record is stats.jsonl; values are 32-bit floats here.
class TensorBoardEvents final : public TrainObserver {
 public:
  void on_begin(const std::filesystem::path& folder, int64_t total_updates) override;
  void on_stats(const StatsLine& line) override;
  // Add the samples.png of `folder` if there is one. StageGrid, which draws it, must be called
  // before this observer.
  void on_snapshot(const std::filesystem::path& folder, const Model& model,
                   int64_t total_updates) override;
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  void add_samples(const std::filesystem::path& folder, int64_t step);
  void append(const std::string& event);

  std::filesystem::path run_folder_;
  std::optional<io::EventFile> file_;  // created when there is something to write
  int64_t begin_ = 0;                  // updates of earlier sessions
  int64_t total_updates_ = 0;          // at the last line of stats.jsonl
};

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_TENSORBOARD_H_
