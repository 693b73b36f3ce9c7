#ifndef HALFSTEP_DEVICE_SIDE_STREAM_H_
#define HALFSTEP_DEVICE_SIDE_STREAM_H_

#include <c10/core/StreamGuard.h>
#include <c10/core/impl/VirtualGuardImpl.h>

namespace halfstep {

// A stream of a device beside the current one.
class SideStream {
 public:
  explicit SideStream(const c10::Device& device)
      : streams_(device.type()), stream_(streams_.getStreamFromGlobalPool(device)) {}

  // Calls `work` with this as the current stream, and waits for what it started.
  template <class Work>
  void run(const Work& work) const {
    {
      const c10::StreamGuard guard(stream_);
      work();
    }
    streams_.synchronizeStream(stream_);
  }

 private:
  const c10::impl::VirtualGuardImpl streams_;
  const c10::Stream stream_;
};

// Waits for everything that the current stream of a device was given.
inline void synchronize(const c10::Device& device) {
  const c10::impl::VirtualGuardImpl streams(device.type());
  streams.synchronizeStream(streams.getStream(device));
}

}  // namespace halfstep

#endif  // HALFSTEP_DEVICE_SIDE_STREAM_H_
