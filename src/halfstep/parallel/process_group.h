// Collective operations of the processes that share a run.
#ifndef HALFSTEP_PARALLEL_PROCESS_GROUP_H_
#define HALFSTEP_PARALLEL_PROCESS_GROUP_H_

#include <cstdint>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/tensor.h"

namespace halfstep::parallel {

// Another process has ended or cannot be reached, so this one cannot continue. The results of
// operations that completed before are valid.
class PeerError : public IoError {
 public:
  using IoError::IoError;
};

// All processes of a group must make the same calls in the same order. Every call that waits for
// other processes throws PeerError within seconds after one ends, or kPeerTimeout after the network
// to it is cut; it waits without limit for a process that is merely busy. A process that destroys
// its group without leave() counts as ended. Not thread-safe.
class ProcessGroup {
 public:
  virtual ~ProcessGroup() = default;

  virtual int64_t rank() const = 0;
  virtual int64_t size() const = 0;
  // Rank 0 is the process that writes files and reports progress.
  bool is_rank_zero() const { return rank() == 0; }

  // Starts to sum `values` (contiguous, of any numeric type) over all ranks, in place, and returns
  // a function that waits for the sum. The sum has the same bits on every rank. For two processes
  // it is exactly a + b; for more, the order of the additions depends on their number.
  virtual std::function<void()> begin_sum(const Tensor& values) = 0;
  // Overwrites `values` (contiguous) with those of rank 0.
  virtual void broadcast(const Tensor& values) = 0;
  // Returns the values of all ranks, in order, on rank 0, and nothing on the others. `values` is
  // [n, ...] on the CPU; n may differ between ranks.
  virtual std::vector<Tensor> gather(const Tensor& values) = 0;

  // Must be the last call. Returns once every process has made it or has ended.
  virtual void leave() = 0;

  void sum(const Tensor& values) { begin_sum(values)(); }
};

inline constexpr int kPeerTimeout = 15;  // seconds

// A group of one process.
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

// Returns whether `mine` is true on any rank.
bool any(ProcessGroup& group, bool mine);

// Returns the text of rank 0 on every rank.
std::string broadcast(ProcessGroup& group, const std::string& text);

// Throws ConfigError on every rank if the settings differ from those of rank 0 anywhere, naming the
// first rank and setting that differ.
void require_same(ProcessGroup& group, const nlohmann::json& settings);

// The items [first, first + count) of a batch that one rank works on.
struct Shard {
  int64_t first = 0;
  int64_t count = 0;
};
// Returns the shard of this rank. The sizes of two shards differ by at most 1.
Shard shard_of(const ProcessGroup& group, int64_t items);

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_PROCESS_GROUP_H_
