#include "halfstep/http/batcher.h"

#include <algorithm>
#include <exception>
#include <iterator>

#include "halfstep/core/error.h"

namespace halfstep::http {
namespace {

double seconds_between(Clock::time_point begin, Clock::time_point end) {
  return std::chrono::duration<double>(end - begin).count();
}

}  // namespace

Batcher::Batcher(const std::vector<ServedModel>& models, const BatcherOptions& options,
                 OnBatch on_batch)
    : models_(models),
      options_(options),
      on_batch_(std::move(on_batch)),
      seconds_per_row_(models.size(), 0.0),
      thread_([this] { work(); }) {}

Batcher::~Batcher() { drain(std::chrono::milliseconds(0)); }

std::variant<std::shared_ptr<Job>, Refusal> Batcher::submit(std::size_t model,
                                                            std::vector<Row> rows) {
  if (rows.empty() || model >= models_.size())
    throw ConfigError("submit", "expected at least one row of a model, received none");
  auto job = std::make_shared<Job>(model, std::move(rows));
  job->images_.resize(job->rows_.size());
  const std::lock_guard lock(mutex_);
  if (stopping_) return Refusal::stopping;
  if (queue_.size() >= options_.most_waiting) return Refusal::full;
  job->arrived_ = Clock::now();
  queue_.push_back(job);
  changed_.notify_one();
  return job;
}

JobStatus Batcher::status(const Job& job) const {
  const std::lock_guard lock(mutex_);
  JobStatus status = job.status_;
  const auto found = std::find_if(queue_.begin(), queue_.end(),
                                  [&](const auto& queued) { return queued.get() == &job; });
  status.position = found == queue_.end() ? 0 : std::distance(queue_.begin(), found);
  const Clock::time_point end = status.is_finished() ? status.finished_at : Clock::now();
  status.queued_seconds = seconds_between(job.arrived_, job.started_.value_or(end));
  return status;
}

JobStatus Batcher::wait_for(const Job& job, std::chrono::milliseconds time) const {
  {
    std::unique_lock lock(mutex_);
    finished_.wait_for(lock, time, [&] { return job.status_.is_finished(); });
  }
  return status(job);
}

void Batcher::cancel(const std::shared_ptr<Job>& job) {
  const std::lock_guard lock(mutex_);
  if (job->status_.is_finished()) return;
  queue_.remove(job);
  finish(*job, JobState::cancelled);
  changed_.notify_one();
}

std::size_t Batcher::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

double Batcher::expected_wait_seconds() const {
  const std::lock_guard lock(mutex_);
  double seconds = 0.0;
  for (const auto& job : queue_) {
    seconds += seconds_per_row_[job->model_] * static_cast<double>(job->rows_.size() - job->next_);
  }
  return seconds;
}

std::size_t Batcher::drain(std::chrono::milliseconds grace) {
  std::size_t cancelled = 0;
  {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    changed_.notify_one();
    finished_.wait_for(lock, grace, [&] { return queue_.empty() && batch_.empty(); });
    std::vector<std::shared_ptr<Job>> left(queue_.begin(), queue_.end());
    std::ranges::copy(jobs_of_batch(), std::back_inserter(left));
    queue_.clear();
    for (const auto& job : left) {
      if (job->status_.is_finished()) continue;  // it may be both in the queue and in the batch
      finish(*job, JobState::cancelled);
      ++cancelled;
    }
    ending_ = true;
    changed_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
  return cancelled;
}

void Batcher::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !queue_.empty() || ending_; });
    if (queue_.empty()) return;
    gather(lock);
    take_batch();
    if (!batch_.empty()) draw_batch(lock);
  }
}

// Waits until the next batch is full or its oldest job has waited long enough.
void Batcher::gather(std::unique_lock<std::mutex>& lock) {
  while (!queue_.empty() && !stopping_) {
    const Job& oldest = *queue_.front();
    std::size_t rows = 0;
    for (const auto& job : queue_)
      rows += belong_together(*job, oldest) ? job->rows_.size() - job->next_ : 0;
    const Clock::time_point end = oldest.arrived_ + options_.delay;
    if (rows >= options_.batch || Clock::now() >= end) return;
    changed_.wait_until(lock, end);
  }
}

void Batcher::take_batch() {
  if (queue_.empty()) return;
  const std::shared_ptr<Job> oldest = queue_.front();
  for (auto it = queue_.begin(); it != queue_.end() && batch_.size() < options_.batch;) {
    const std::shared_ptr<Job>& job = *it;
    if (!belong_together(*job, *oldest)) {
      ++it;
      continue;
    }
    if (!job->started_) job->started_ = Clock::now();
    job->status_.state = JobState::running;
    while (job->next_ < job->rows_.size() && batch_.size() < options_.batch)
      batch_.push_back({.job = job, .row = job->next_++});
    it = job->next_ == job->rows_.size() ? queue_.erase(it) : std::next(it);
  }
}

void Batcher::draw_batch(std::unique_lock<std::mutex>& lock) {
  const ServedModel& model = models_[batch_.front().job->model_];
  std::vector<Row> rows;
  for (const Place& place : batch_) rows.push_back(place.job->rows_[place.row]);
  lock.unlock();

  std::optional<std::vector<Drawn>> images;
  std::string error;
  const Clock::time_point begin = Clock::now();
  try {
    images = model.draw(rows, [this](int64_t step) { return begin_step(step); });
    if (images && images->size() != rows.size()) error = "expected one image per row";
  } catch (const std::exception& thrown) {
    error = one_line(thrown.what());
    error = error.substr(0, error.find("\\x0a"));  // LibTorch appends a backtrace
  }
  const double seconds = seconds_between(begin, Clock::now());
  if (on_batch_ && images && error.empty())
    on_batch_(batch_.front().job->model_, rows.size(), seconds);

  lock.lock();
  deliver(std::move(images), error, seconds);
}

// Returns whether any job of the batch still wants it.
bool Batcher::begin_step(int64_t step) {
  const std::lock_guard lock(mutex_);
  bool wanted = false;
  for (const Place& place : batch_) {
    place.job->status_.step = step;
    wanted = wanted || !place.job->status_.is_finished();
  }
  return wanted;
}

void Batcher::deliver(std::optional<std::vector<Drawn>> images, const std::string& error,
                      double seconds) {
  for (const std::shared_ptr<Job>& job : jobs_of_batch()) job->status_.drawing_seconds += seconds;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    Job& job = *batch_[i].job;
    if (job.status_.is_finished()) continue;
    if (!images || !error.empty()) {
      job.status_.error = error;
      queue_.remove(batch_[i].job);  // its other rows
      finish(job, JobState::failed);
      continue;
    }
    job.images_[batch_[i].row] = std::move((*images)[i]);
    if (++job.status_.images == static_cast<int64_t>(job.rows_.size())) finish(job, JobState::done);
  }
  if (images) {
    double& average = seconds_per_row_[batch_.front().job->model_];
    const double now = seconds / static_cast<double>(batch_.size());
    average = average == 0.0 ? now : 0.8 * average + 0.2 * now;
  }
  batch_.clear();
  finished_.notify_all();
}

void Batcher::finish(Job& job, JobState state) {
  job.status_.state = state;
  job.status_.finished_at = Clock::now();
  if (state != JobState::done) job.images_.clear();
  finished_.notify_all();
}

bool Batcher::belong_together(const Job& a, const Job& b) const {
  const auto guides = [&](const Job& job) {
    return models_[job.model_].guidance.doubles_calls && job.rows_.front().guidance != 1.0;
  };
  return a.model_ == b.model_ && guides(a) == guides(b);
}

std::vector<std::shared_ptr<Job>> Batcher::jobs_of_batch() const {
  std::vector<std::shared_ptr<Job>> jobs;
  for (const Place& place : batch_) {
    if (jobs.empty() || jobs.back() != place.job) jobs.push_back(place.job);
  }
  return jobs;
}

}  // namespace halfstep::http
