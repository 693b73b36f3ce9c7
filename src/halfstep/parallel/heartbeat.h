// Notices that another process is gone, whatever this one is busy with.
#ifndef HALFSTEP_PARALLEL_HEARTBEAT_H_
#define HALFSTEP_PARALLEL_HEARTBEAT_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <torch/csrc/distributed/c10d/Backend.hpp>

namespace halfstep::parallel {

// Once a second a thread of each process takes part in a sum. It fails where one is missing: at
// once if that has ended, for its connections are closed; after the backend's timeout if the way
// to it is cut.
class Heartbeat {
 public:
  // A backend of its own: a call waits for those before it.
  explicit Heartbeat(c10::intrusive_ptr<c10d::Backend> backend);
  // Without leave(): the others will notice.
  ~Heartbeat();
  Heartbeat(const Heartbeat&) = delete;
  Heartbeat& operator=(const Heartbeat&) = delete;

  // Why another process is thought gone; empty while all are there.
  std::string lost() const;

  // Returns once every process has called it, or one is lost.
  void leave();

 private:
  void beat();
  // False when all are leaving.
  bool meet();

  c10::intrusive_ptr<c10d::Backend> backend_;  // the thread's
  mutable std::mutex mutex_;                   // guards what follows
  std::condition_variable changed_;
  bool leaving_ = false;
  bool stopping_ = false;
  std::string lost_;
  std::thread thread_;  // last: it uses the rest
};

}  // namespace halfstep::parallel

#endif  // HALFSTEP_PARALLEL_HEARTBEAT_H_
