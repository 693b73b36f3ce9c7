// Detects that another process has ended, even while this one is busy.
#ifndef HALFSTEP_PARALLEL_HEARTBEAT_H_
#define HALFSTEP_PARALLEL_HEARTBEAT_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/Backend.hpp>

namespace halfstep::parallel {

// Once a second, a thread of each process takes part in an all-reduce. The all-reduce fails if a
// process is missing: at once if it has ended, because that closes its connections; after the
// backend's timeout if the network is cut. Thread-safe.
class Heartbeat {
 public:
  // Needs a backend of its own, because a backend runs its operations one after another.
  explicit Heartbeat(c10::intrusive_ptr<c10d::Backend> backend);
  // Without a leave() before it, the other processes detect that this one has ended.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // Returns why another process is believed to have ended; empty while all are running.
  std::string lost() const;

  // Returns once every process has called it, or one has ended.
  void leave();

 private:
  void beat();
  // Takes part in one all-reduce. Returns false if all processes are leaving.
  bool exchange();

  c10::intrusive_ptr<c10d::Backend> backend_;  // used by the thread only
  mutable std::mutex mutex_;                   // guards the four members below
  std::condition_variable changed_;
  bool leaving_ = false;
  bool stopping_ = false;
  std::string lost_;
  std::thread thread_;  // declared last, because it uses the other members
};

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_HEARTBEAT_H_
