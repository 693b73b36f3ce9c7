#ifndef HALFSTEP_DEVICE_TO_DEVICE_H_
#define HALFSTEP_DEVICE_TO_DEVICE_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

// Returns the values of a tensor of the host on a device, or the tensor itself on the CPU. The copy
// goes through pinned memory and waits for nothing: it is made in the order of the device's work.
inline Tensor to_device(const Tensor& tensor, const at::Device& device) {
  if (device.is_cpu()) return tensor;
  return tensor.pin_memory().to(device, /*non_blocking=*/true);
}

}  // namespace halfstep

#endif  // HALFSTEP_DEVICE_TO_DEVICE_H_
