// What the server counts, and its text for Prometheus.
#ifndef HALFSTEP_HTTP_METRICS_H_
#define HALFSTEP_HTTP_METRICS_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <string>
#include <utility>

namespace halfstep::http {

// All functions may be called from several threads.
class Metrics {
 public:
  // Counts an answer: what was asked for, such as "generations", and its status. `seconds` is the
  // time from the whole request to the answer.
  void count_request(const std::string& route, int status, double seconds);
  // Counts a batch that was drawn.
  void count_batch(const std::string& model, std::size_t rows, double seconds);

  // Returns all of it in Prometheus' text format. `waiting` is the number of jobs in the queue.
  std::string text(std::size_t waiting) const;

 private:
  static constexpr std::array<std::size_t, 8> kBatchSizes = {1, 2, 4, 8, 16, 32, 64, 128};
  static constexpr std::size_t kWindow = 1024;  // the last requests, for the quantiles

  struct Seconds {
    std::deque<double> window;
    double sum = 0.0;
    uint64_t count = 0;
  };
  struct Batches {
    std::array<uint64_t, kBatchSizes.size() + 1> sizes{};  // the last counts what is larger
    uint64_t count = 0;
    uint64_t rows = 0;
    double seconds = 0.0;
  };

  mutable std::mutex mutex_;
  std::map<std::pair<std::string, int>, uint64_t> requests_;  // by route and status
  std::map<std::string, Seconds> seconds_;                    // of successful requests, by route
  std::map<std::string, Batches> batches_;                    // by model
};

}  // namespace halfstep::http

#endif  // HALFSTEP_HTTP_METRICS_H_
