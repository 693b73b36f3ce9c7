// A device without hardware: LibTorch's PrivateUse1 backend with memory that the host cannot touch.
//
// Operators run on the CPU, on copies, but code sees what it would see on a GPU: an operation on
// tensors of two devices throws, reading a tensor's memory on the host ends the process, and every
// copy between host and device is counted.
#ifndef HALFSTEP_TESTS_DEVICE_FAKE_DEVICE_H_
#define HALFSTEP_TESTS_DEVICE_FAKE_DEVICE_H_

#include <c10/core/Device.h>

#include <cstdint>
#include <string>

namespace halfstep::test {

// Returns the device, which exists from the first call on. Thread-safe.
c10::Device fake_device();

// Counts the copies between host and device while it lives, on all threads. One lives at a time.
class CountCopies {
 public:
  CountCopies();
  CountCopies(const CountCopies&) = delete;
  CountCopies& operator=(const CountCopies&) = delete;
  ~CountCopies();

  int64_t uploads() const;    // copies to the device
  int64_t downloads() const;  // copies from the device, among them those of item()
  // Those of both for which the host waits: all but uploads from pinned memory that are
  // non-blocking.
  int64_t waits() const;
  // Returns the places of the copies, for the message of a test that fails: one line for each, with
  // the number of copies and the functions of halfstep, the innermost first.
  std::string places() const;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_FAKE_DEVICE_H_
