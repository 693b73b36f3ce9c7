// The one tensor type of the library, under the name the mathematics uses.
#ifndef HALFSTEP_CORE_TENSOR_H_
#define HALFSTEP_CORE_TENSOR_H_

#include <torch/types.h>

namespace halfstep {

using Tensor = at::Tensor;

}  // namespace halfstep

#endif  // HALFSTEP_CORE_TENSOR_H_
