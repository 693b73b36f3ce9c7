// The jobs that clients ask for by their id.
#ifndef HALFSTEP_HTTP_JOB_STORE_H_
#define HALFSTEP_HTTP_JOB_STORE_H_

#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "halfstep/http/batcher.h"
#include "halfstep/http/image_request.h"

namespace halfstep::http {

struct StoredJob {
  std::shared_ptr<Job> job;
  ImageFormat format = ImageFormat::png;
};

struct JobStoreOptions {
  std::size_t most_bytes = std::size_t{256} << 20;  // of the pixels of finished jobs
  std::size_t most_finished = 1000;
  std::chrono::seconds keep{600};  // after a job has finished
};

// Keeps every job that has not finished, and finished ones within the limits, the latest first. All
// functions may be called from several threads.
class JobStore {
 public:
  // `batcher` must outlive the store.
  explicit JobStore(const Batcher& batcher, const JobStoreOptions& options = {})
      : batcher_(batcher), options_(options) {}

  // Adds a job and returns its id, 32 random hexadecimal digits, which nobody else can guess.
  std::string add(const StoredJob& job);

  // Returns a job, or nothing for an id that is unknown or forgotten.
  std::optional<StoredJob> find(std::string_view id);

 private:
  void forget_old_ones();

  const Batcher& batcher_;
  const JobStoreOptions options_;
  std::mutex mutex_;
  std::map<std::string, StoredJob, std::less<>> jobs_;
};

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_JOB_STORE_H_
