// Processes that work on one run, as its updates see them; or one process alone.
#ifndef HALFSTEP_PARALLEL_PROCESS_GROUP_H_
#define HALFSTEP_PARALLEL_PROCESS_GROUP_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/tensor.h"

namespace halfstep::parallel {

// Another process has ended or cannot be reached: this one cannot go on. What it has done is whole.
class PeerError : public IoError {
 public:
  using IoError::IoError;
};

// Every process makes the same calls in the same order. Each call that waits for others throws
// PeerError within seconds of one's end, or of losing the way to it (kPeerTimeout); a process that
// is just busy is waited for. A process whose group is destroyed without leave() counts as ended.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;
  // The one that writes and tells; rank 0.
  bool is_rank_zero() const { return rank() == 0; }

  // Begins to add up `values` (contiguous, of any type of number) over all processes, in place.
  // What it returns, when called, waits for the sum, which has the same bits everywhere. For two
  // processes it is exactly a + b; for more the order of additions depends on their number.
  virtual std::function<void()> begin_sum(const Tensor& values) = 0;
  // Writes the root's values, contiguous, over everybody's.
  virtual void broadcast(const Tensor& values) = 0;
  // Everybody's values [n, ...], n of their own, on the CPU: to the root, in the order of ranks;
  // to the others nothing.
  virtual std::vector<Tensor> gather(const Tensor& values) = 0;

  // The last call: returns once everybody has come to it, or has ended.
  virtual void leave() = 0;

  void sum(const Tensor& values) { begin_sum(values)(); }
};

inline constexpr int kPeerTimeout = 15;  // seconds

// A process alone: what everybody has is its own.
class SingleProcess final : public ProcessGroup {
 public:
  int64_t rank() const override { return 0; }
  int64_t size() const override { return 1; }
  std::function<void()> begin_sum(const Tensor& /*values*/) override {
    return [] {};
  }
  void broadcast(const Tensor& /*values*/) override {}
  std::vector<Tensor> gather(const Tensor& values) override { return {values}; }
  void leave() override {}
};

// Whether it is so in any of the processes.
bool any(ProcessGroup& group, bool mine);

// The root's text, for all.
std::string broadcast(ProcessGroup& group, const std::string& text);

// Throws ConfigError in every process where they do not all have the root's `settings`; it names
// the first rank and setting that differ.
void require_same(ProcessGroup& group, const nlohmann::json& settings);

// Items [first, first + count) of `items`, the share of this process: as even as it goes.
struct Shard {
  int64_t first = 0;
  int64_t count = 0;
};
Shard shard_of(const ProcessGroup& group, int64_t items);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_PROCESS_GROUP_H_
