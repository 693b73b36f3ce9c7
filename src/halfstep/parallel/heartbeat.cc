#include "halfstep/parallel/heartbeat.h"

#include <ATen/Functions.h>

#include <chrono>
#include <utility>
#include <vector>

namespace halfstep::parallel {
namespace {

constexpr std::chrono::seconds kInterval{1};

}  // namespace

Heartbeat::Heartbeat(c10::intrusive_ptr<c10d::Backend> backend)
    : backend_(std::move(backend)), thread_([this] { beat(); }) {}

Heartbeat::~Heartbeat() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

std::string Heartbeat::lost() const {
  const std::lock_guard lock(mutex_);
  return lost_;
}

void Heartbeat::leave() {
  {
    const std::lock_guard lock(mutex_);
    leaving_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Heartbeat::exchange() {
  at::Tensor leaving = at::zeros({1}, at::kLong);
  {
    const std::lock_guard lock(mutex_);
    leaving.fill_(leaving_ ? 1 : 0);
  }
  std::vector<at::Tensor> values = {leaving};
  backend_->allreduce(values)->wait();
  return leaving.item<int64_t>() < backend_->getSize();
}

void Heartbeat::beat() {
  try {
    while (exchange()) {
      std::unique_lock lock(mutex_);
      changed_.wait_for(lock, kInterval, [this] { return leaving_ || stopping_; });
      if (stopping_) return;
    }
  } catch (const std::exception& error) {
    const std::lock_guard lock(mutex_);
    lost_ = error.what();
  }
  // Closes the connections, so that no other process waits for this one.
  backend_.reset();
}

}  // namespace halfstep::parallel
