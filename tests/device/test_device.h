// The device that tests compare with the CPU.
#ifndef HALFSTEP_TESTS_DEVICE_TEST_DEVICE_H_
#define HALFSTEP_TESTS_DEVICE_TEST_DEVICE_H_

#include <c10/core/Device.h>

namespace halfstep::test {

// Returns the device without hardware (fake_device.h), or the one that the environment variable
// HALFSTEP_TEST_DEVICE names, such as cuda. If this machine has no such GPU, the program skips all
// of its tests.
c10::Device test_device();

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_DEVICE_TEST_DEVICE_H_
