#include "halfstep/parallel/c10d_group.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <chrono>
#include <thread>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <utility>

#include "halfstep/parallel/gloo_backend.h"
#include "halfstep/parallel/heartbeat.h"
#include "halfstep/parallel/nccl_backend.h"
#include "halfstep/parallel/rendezvous.h"

namespace halfstep::parallel {
namespace {

using BackendPtr = c10::intrusive_ptr<c10d::Backend>;
using WorkPtr = c10::intrusive_ptr<c10d::Work>;

// How long to wait for a process that is busy: in effect forever. The heartbeat, not this timeout,
// detects processes that have ended.
constexpr std::chrono::hours kBusyTimeout{24 * 365};
constexpr std::chrono::microseconds kPoll{50};

// Returns the first sentence of a Gloo error: "[file:123] What happened. More" -> "What happened".
std::string reason_of(std::string text) {
  const size_t end = text.find("] ");
  if (text.starts_with('[') && end != std::string::npos) text.erase(0, end + 2);
  return text.substr(0, std::min(text.find('\n'), text.find(". ")));
}

class C10dGroup final : public ProcessGroup {
 public:
  C10dGroup(const LaunchEnvironment& launch, BackendPtr gloo, BackendPtr nccl, BackendPtr heartbeat)
      : rank_(launch.rank),
        size_(launch.size),
        gloo_(std::move(gloo)),
        nccl_(std::move(nccl)),
        heartbeat_(std::move(heartbeat)) {}

  ~C10dGroup() override {
    // Gloo's destructor waits for operations that may never complete.
    if (broken_) gloo_.release();
  }
  C10dGroup(const C10dGroup&) = delete;
  C10dGroup& operator=(const C10dGroup&) = delete;

  int64_t rank() const override { return rank_; }
  int64_t size() const override { return size_; }

  std::function<void()> begin_sum(const Tensor& values) override {
    const Tensor sent = sendable(values);
    std::vector<Tensor> tensors = {sent};
    return [this, values, sent, work = backend_for(sent).allreduce(tensors)] {
      wait_for(work);
      if (!sent.is_same(values)) values.copy_(sent);
    };
  }

  void broadcast(const Tensor& values) override {
    const Tensor sent = sendable(values);
    std::vector<Tensor> tensors = {sent};
    wait_for(backend_for(sent).broadcast(tensors));
    if (!sent.is_same(values)) values.copy_(sent);
  }

  std::vector<Tensor> gather(const Tensor& values) override {
    const Tensor counts = at::zeros({size_}, at::kLong);
    counts[rank_] = values.size(0);
    sum(counts);
    const int64_t* const count = counts.data_ptr<int64_t>();
    // Gloo gathers tensors of equal shapes only.
    std::vector<int64_t> shape = values.sizes().vec();
    shape[0] = *std::max_element(count, count + size_);
    std::vector<Tensor> mine = {at::zeros(shape, values.options())};
    mine.front().narrow(0, 0, values.size(0)).copy_(values);
    std::vector<std::vector<Tensor>> all;
    if (is_rank_zero()) {
      all.emplace_back();
      for (int64_t rank = 0; rank < size_; ++rank)
        all.front().push_back(at::empty(shape, values.options()));
    }
    wait_for(gloo_->gather(all, mine));
    if (!is_rank_zero()) return {};
    for (int64_t rank = 0; rank < size_; ++rank) {
      Tensor& gathered = all.front()[static_cast<size_t>(rank)];
      gathered = gathered.narrow(0, 0, count[rank]);
    }
    return std::move(all.front());
  }

  void leave() override { heartbeat_.leave(); }

 private:
  bool by_nccl(const Tensor& values) const { return values.is_cuda() && nccl_; }
  c10d::Backend& backend_for(const Tensor& values) const {
    return by_nccl(values) ? *nccl_ : *gloo_;
  }
  // Returns the values themselves, or for Gloo, which takes only tensors of the host, a copy there.
  Tensor sendable(const Tensor& values) const { return by_nccl(values) ? values : values.cpu(); }

  void wait_for(const WorkPtr& work) {
    while (!work->isCompleted()) {
      if (const std::string lost = heartbeat_.lost(); !lost.empty()) fail(lost);
      std::this_thread::sleep_for(kPoll);
    }
    try {
      work->wait();
    } catch (const std::exception& error) {
      fail(error.what());
    }
  }

  [[noreturn]] void fail(const std::string& what) {
    broken_ = true;
    if (nccl_) nccl_->abort();
    throw PeerError("rank " + std::to_string(rank_) + " of " + std::to_string(size_),
                    "expected all processes to keep running, but one has ended or cannot be "
                    "reached: " +
                        reason_of(what));
  }

  const int64_t rank_;
  const int64_t size_;
  BackendPtr gloo_;
  const BackendPtr nccl_;  // null: tensors of devices go through the host
  Heartbeat heartbeat_;
  bool broken_ = false;
};

BackendPtr gloo(const c10::intrusive_ptr<c10d::Store>& store, const char* name,
                const LaunchEnvironment& launch, std::chrono::milliseconds timeout) {
  const auto own = c10::make_intrusive<c10d::PrefixStore>(name, store);
  const BackendPtr backend =
      make_gloo_backend(own, launch.rank, launch.size,
                        address_towards(launch.master_host, launch.master_port), kJoinTimeout);
  backend->setTimeout(timeout);
  return backend;
}

}  // namespace

std::unique_ptr<ProcessGroup> join(const LaunchEnvironment& launch, const c10::Device& device) {
  if (launch.size == 1) return std::make_unique<SingleProcess>();
  if (!has_gloo()) {
    throw ConfigError("WORLD_SIZE",
                      "expected 1, because this halfstep was built without Gloo, received " +
                          std::to_string(launch.size) + "; install libgloo-dev and rebuild");
  }
  const c10::intrusive_ptr<c10d::Store> store = rendezvous(launch);
  try {
    BackendPtr heartbeat = gloo(store, "heartbeat", launch, std::chrono::seconds(kPeerTimeout));
    BackendPtr main = gloo(store, "main", launch, kBusyTimeout);
    BackendPtr nccl;
    if (device.is_cuda()) {
      nccl = make_nccl_backend(c10::make_intrusive<c10d::PrefixStore>("nccl", store), launch.rank,
                               launch.size);
    }
    return std::make_unique<C10dGroup>(launch, std::move(main), std::move(nccl),
                                       std::move(heartbeat));
  } catch (const std::exception& error) {
    throw IoError("processes",
                  "expected to connect to all of them, received: " + reason_of(error.what()));
  }
}

}  // namespace halfstep::parallel
