#ifndef HALFSTEP_CLI_PROGRESS_H_
#define HALFSTEP_CLI_PROGRESS_H_

#include <chrono>
#include <cstdint>
#include <string>

#include "halfstep/train/observer.h"

namespace halfstep::cli {

// Decides when to print progress to stderr: on a terminal, one line that is overwritten; elsewhere,
// a plain line every few seconds.
class Pace {
 public:
  Pace();
  bool terminal() const { return terminal_; }
  // Returns what is written before a line.
  const char* begin() const;
  // Returns whether to write a line now, because it is time or because it must be; the line then
  // counts as written.
  bool due(bool must);

 private:
  bool terminal_;
  std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

// Prints how many images are done: "packed: 64/1000 images".
class CountLine {
 public:
  void show(const std::string& what, int64_t done, int64_t of);

 private:
  Pace pace_;
};

// Prints the progress of a run.
class ProgressLine final : public TrainObserver {
 public:
  void on_begin(const std::filesystem::path& folder, int64_t total_updates) override;
  void on_message(std::string_view message) override;
  void on_update(const UpdateRecord& record) override;

 private:
  Pace pace_;
  double smooth_loss_ = 0.0;
  std::string quality_;  // of the last evaluation of the stage: ", FD-X 0.312 (best 0.301)"
  int64_t stage_ = -1;
};

// Formats a time as "1:02:03" or "2:03".
std::string clock_text(double seconds);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_PROGRESS_H_
