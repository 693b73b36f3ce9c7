// The tensor type of the library.
#ifndef HALFSTEP_CORE_TENSOR_H_
#define HALFSTEP_CORE_TENSOR_H_

#include <torch/types.h>

namespace halfstep {

using Tensor = at::Tensor;

}  // namespace halfstep

#endif  // HALFSTEP_CORE_TENSOR_H_
