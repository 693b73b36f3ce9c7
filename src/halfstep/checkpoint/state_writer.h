// Saves states in a background thread. LibTorch-free.
#ifndef HALFSTEP_CHECKPOINT_STATE_WRITER_H_
#define HALFSTEP_CHECKPOINT_STATE_WRITER_H_

#include <future>

#include "halfstep/checkpoint/state_slots.h"

namespace halfstep {

// Usage: fill image(), call write(), continue. If writing fails, the next call of any member
// function throws the error; states saved earlier are intact. For use by one thread.
class StateWriter {
 public:
  explicit StateWriter(StateSlots slots) : slots_(std::move(slots)) {}
  // Waits for a write in progress.
  ~StateWriter() = default;
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;

  // Returns whether a write is in progress.
  bool busy();

  // Returns the buffer for the next state, after waiting for a write in progress. It still holds
  // the previous state, so that its memory can be reused.
  StateImage& image();

  // Starts writing the image, which must not be touched until the next call of image().
  void write();

  // Waits until the state is on disk.
  void finish();

 private:
  StateSlots slots_;
  StateImage image_;
  std::future<void> writing_;  // declared last: its destructor waits before the others run
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_STATE_WRITER_H_
