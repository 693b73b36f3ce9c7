#ifndef HALFSTEP_CLI_PROGRESS_H_
#define HALFSTEP_CLI_PROGRESS_H_

#include <chrono>
#include <string>
#include <vector>

#include "halfstep/train/observer.h"

namespace halfstep::cli {

// Tells a run's progress on stderr: one line that is written over on a terminal, a plain line every
// few seconds elsewhere.
class ProgressLine final : public TrainObserver {
 public:
  ProgressLine();
  void on_message(std::string_view message) override;
  void on_update(const UpdateRecord& record) override;

 private:
  bool terminal_;
  double smooth_loss_ = 0.0;
  int64_t stage_ = -1;
  std::chrono::steady_clock::time_point last_;
};

// "1:02:03" or "2:03".
std::string clock_text(double seconds);

// Passes everything on to each of several.
class Observers final : public TrainObserver {
 public:
  explicit Observers(std::vector<TrainObserver*> observers) : observers_(std::move(observers)) {}
  void on_begin(int64_t total_updates) override;
  void on_message(std::string_view message) override;
  void on_update(const UpdateRecord& record) override;
  void on_stats(const StatsLine& line) override;
  void on_stage_end(const std::filesystem::path& folder, const Model& model) override;

 private:
  std::vector<TrainObserver*> observers_;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_PROGRESS_H_
