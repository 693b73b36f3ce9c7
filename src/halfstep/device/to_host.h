#ifndef HALFSTEP_DEVICE_TO_HOST_H_
#define HALFSTEP_DEVICE_TO_HOST_H_

#include <ATen/Functions.h>

#include <vector>

#include "halfstep/core/tensor.h"

namespace halfstep {

// Returns the values of float64 tensors with one element each, in one copy to the host. Each copy
// waits for the device.
inline std::vector<double> to_host(const std::vector<Tensor>& numbers) {
  const Tensor values = at::stack(numbers).cpu();
  const double* first = values.const_data_ptr<double>();
  return {first, first + values.numel()};
}

}  // namespace halfstep

#endif  // HALFSTEP_DEVICE_TO_HOST_H_
