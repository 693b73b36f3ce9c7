// Saves states behind a run's back. LibTorch-free.
#ifndef HALFSTEP_CHECKPOINT_STATE_WRITER_H_
#define HALFSTEP_CHECKPOINT_STATE_WRITER_H_

#include <future>

#include "halfstep/checkpoint/state_slots.h"

namespace halfstep {

// For one caller: fill image(), write(), go on. What a write throws comes out of the call after it;
// the states saved before are as they were.
class StateWriter {
 public:
  explicit StateWriter(StateSlots slots) : slots_(std::move(slots)) {}
  // Waits for the write at hand.
  ~StateWriter() = default;
  StateWriter(const StateWriter&) = delete;
  StateWriter& operator=(const StateWriter&) = delete;

  bool busy();

  // Where the next state goes: what the one before left, to be overwritten without taking memory
  // again. Waits until nothing is being written.
  StateImage& image();

  // Begins to write the image; it must not be touched until image() hands it out again.
  void write();

  // Waits until the state is on the disk.
  void finish();

 private:
  StateSlots slots_;
  StateImage image_;
  std::future<void> writing_;  // last, so that its end is waited for first
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_STATE_WRITER_H_
