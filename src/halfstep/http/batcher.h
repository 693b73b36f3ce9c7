// A bounded queue of jobs, and the thread that draws them in batches.
//
// Jobs of one model are coalesced: a batch takes the rows of the oldest job and of those behind it
// that have the same model and cost, up to a maximum. A job may be spread over several batches. A
// batch that is not full starts once its oldest job has waited for a few milliseconds. While a
// batch is drawn, the next ones gather. Batches of different models take turns by the age of their
// oldest job, so that none starves.
#ifndef HALFSTEP_HTTP_BATCHER_H_
#define HALFSTEP_HTTP_BATCHER_H_

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/http/served_model.h"

namespace halfstep::http {

enum class JobState { queued, running, done, cancelled, failed };

}  // namespace halfstep::http

namespace halfstep {

template <>
struct EnumNames<http::JobState> {
  static constexpr auto kNames = std::to_array<std::pair<http::JobState, std::string_view>>(
      {{http::JobState::queued, "queued"},
       {http::JobState::running, "running"},
       {http::JobState::done, "done"},
       {http::JobState::cancelled, "cancelled"},
       {http::JobState::failed, "failed"}});
};

}  // namespace halfstep

namespace halfstep::http {

using Clock = std::chrono::steady_clock;

struct JobStatus {
  JobState state = JobState::queued;
  int64_t position = 0;  // of a queued job: how many are before it
  int64_t step = 0;      // of a running job: the step of its present batch, 1 to N
  int64_t images = 0;    // drawn so far
  double queued_seconds = 0.0;
  double drawing_seconds = 0.0;  // of the batches that had its rows
  Clock::time_point finished_at = {};
  std::string error = {};  // of a failed job

  bool is_finished() const { return state != JobState::queued && state != JobState::running; }
};

// Some rows of one model that belong together. Made by Batcher::submit.
class Job {
 public:
  Job(std::size_t model, std::vector<Row> rows) : model_(model), rows_(std::move(rows)) {}

  std::size_t model() const { return model_; }
  const std::vector<Row>& rows() const { return rows_; }
  // The images, in the order of the rows. Call it only once a JobStatus said that the job is done.
  const std::vector<Drawn>& images() const { return images_; }

 private:
  friend class Batcher;

  const std::size_t model_;
  const std::vector<Row> rows_;
  // The batcher's mutex guards the rest.
  std::vector<Drawn> images_;
  std::size_t next_ = 0;  // the first row that is in no batch yet
  Clock::time_point arrived_;
  std::optional<Clock::time_point> started_;
  JobStatus status_;
};

struct BatcherOptions {
  std::size_t most_waiting = 128;          // jobs in the queue
  std::size_t batch = 64;                  // rows per batch
  std::chrono::microseconds delay{4'000};  // that a batch waits for more rows
};

// Called after each batch, by the thread that draws: the model, the rows and the seconds it took.
using OnBatch = std::function<void(std::size_t model, std::size_t rows, double seconds)>;

enum class Refusal { full, stopping };

// All functions may be called from several threads, but only one may call drain.
class Batcher {
 public:
  // `models` must outlive the batcher.
  Batcher(const std::vector<ServedModel>& models, const BatcherOptions& options,
          OnBatch on_batch = {});
  // Cancels what is left.
  ~Batcher();
  Batcher(const Batcher&) = delete;
  Batcher& operator=(const Batcher&) = delete;

  // Appends a job of at least one row to the queue, or says why not.
  std::variant<std::shared_ptr<Job>, Refusal> submit(std::size_t model, std::vector<Row> rows);

  JobStatus status(const Job& job) const;

  // Waits until the job has finished, or for `time`, and returns its status.
  JobStatus wait_for(const Job& job, std::chrono::milliseconds time) const;

  // Cancels a job that has not finished. A batch ends before its next step if no job is left that
  // wants it.
  void cancel(const std::shared_ptr<Job>& job);

  // Number of jobs in the queue.
  std::size_t waiting() const;

  // Returns how long a new job would wait, from the speed of each model so far.
  double expected_wait_seconds() const;

  // Takes no more jobs from now on, waits until those accepted have finished, at most for `grace`,
  // cancels the rest, and ends the thread. Returns the number of cancelled jobs.
  std::size_t drain(std::chrono::milliseconds grace);

 private:
  struct Place {  // of a row of the batch
    std::shared_ptr<Job> job;
    std::size_t row;
  };

  void work();
  void gather(std::unique_lock<std::mutex>& lock);
  void take_batch();
  void draw_batch(std::unique_lock<std::mutex>& lock);
  bool begin_step(int64_t step);
  void deliver(std::optional<std::vector<Drawn>> images, const std::string& error, double seconds);
  void finish(Job& job, JobState state);
  bool belong_together(const Job& a, const Job& b) const;
  std::vector<std::shared_ptr<Job>> jobs_of_batch() const;

  const std::vector<ServedModel>& models_;
  const BatcherOptions options_;
  const OnBatch on_batch_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;           // the queue, for the thread that draws
  mutable std::condition_variable finished_;  // a job or a batch has finished
  std::list<std::shared_ptr<Job>> queue_;     // jobs with rows that are in no batch yet
  std::vector<Place> batch_;                  // empty: nothing is being drawn
  std::vector<double> seconds_per_row_;       // of each model, a moving average
  bool stopping_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_BATCHER_H_
