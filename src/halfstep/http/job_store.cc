#include "halfstep/http/job_store.h"

#include <array>
#include <cstdio>
#include <random>
#include <utility>

namespace halfstep::http {
namespace {

std::string random_id() {
  std::random_device random;  // the system's source
  std::string id;
  for (int word = 0; word < 4; ++word) {
    std::array<char, 9> digits{};
    std::snprintf(digits.data(), digits.size(), "%08x", random());
    id += digits.data();
  }
  return id;
}

std::size_t bytes_of(const Job& job) {
  std::size_t bytes = 0;
  for (const Drawn& drawn : job.images()) bytes += drawn.image.pixels.size();
  return bytes;
}

}  // namespace

std::string JobStore::add(const StoredJob& job) {
  const std::lock_guard lock(mutex_);
  forget_old_ones();
  std::string id = random_id();
  jobs_.emplace(id, job);
  return id;
}

std::optional<StoredJob> JobStore::find(std::string_view id) {
  const std::lock_guard lock(mutex_);
  forget_old_ones();
  const auto found = jobs_.find(id);
  return found == jobs_.end() ? std::nullopt : std::optional(found->second);
}

void JobStore::forget_old_ones() {
  std::multimap<Clock::time_point, std::string, std::greater<>> finished;  // the latest first
  for (const auto& [id, stored] : jobs_) {
    const JobStatus status = batcher_.status(*stored.job);
    if (status.is_finished()) finished.emplace(status.finished_at, id);
  }
  const Clock::time_point now = Clock::now();
  std::size_t count = 0, bytes = 0;
  for (const auto& [finished_at, id] : finished) {
    const auto found = jobs_.find(id);
    bytes += bytes_of(*found->second.job);
    if (++count > options_.most_finished || bytes > options_.most_bytes ||
        now - finished_at > options_.keep)
      jobs_.erase(found);
  }
}

}  // namespace halfstep::http
