// The streams of the device of fake_device.h. Its operators run at once, whatever their stream.
#ifndef HALFSTEP_TESTS_DEVICE_FAKE_STREAMS_H_
#define HALFSTEP_TESTS_DEVICE_FAKE_STREAMS_H_

#include <c10/core/impl/DeviceGuardImplInterface.h>

#include <atomic>
#include <utility>

namespace halfstep::test {

// Tells LibTorch which stream is the current one of each thread.
struct FakeStreams final : c10::impl::DeviceGuardImplInterface {
  static constexpr c10::DeviceType static_type = c10::kPrivateUse1;
  static inline thread_local c10::StreamId current = 0;  // 0 is the default stream

  FakeStreams() = default;
  explicit FakeStreams(c10::DeviceType /*type*/) {}

  c10::DeviceType type() const override { return static_type; }
  c10::Device exchangeDevice(c10::Device device) const override { return device; }
  c10::Device getDevice() const override { return c10::Device(static_type, 0); }
  void setDevice(c10::Device /*device*/) const override {}
  void uncheckedSetDevice(c10::Device /*device*/) const noexcept override {}
  c10::DeviceIndex deviceCount() const noexcept override { return 1; }

  c10::Stream getStream(c10::Device device) const override { return stream(device, current); }
  c10::Stream getDefaultStream(c10::Device device) const override { return stream(device, 0); }
  c10::Stream getStreamFromGlobalPool(c10::Device device, bool /*high*/ = false) const override {
    static std::atomic<c10::StreamId> next = 1;
    return stream(device, next++);
  }
  c10::Stream exchangeStream(c10::Stream other) const override {
    return stream(other.device(), std::exchange(current, other.id()));
  }
  void synchronizeStream(const c10::Stream& /*stream*/) const override {}

  void record(void** /*event*/, const c10::Stream& /*stream*/, c10::DeviceIndex /*index*/,
              c10::EventFlag /*flag*/) const override {}
  void block(void* /*event*/, const c10::Stream& /*stream*/) const override {}
  bool queryEvent(void* /*event*/) const override { return true; }
  void destroyEvent(void* /*event*/, c10::DeviceIndex /*index*/) const noexcept override {}

 private:
  static c10::Stream stream(c10::Device device, c10::StreamId id) {
    return c10::Stream(c10::Stream::UNSAFE, device, id);
  }
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_FAKE_STREAMS_H_
