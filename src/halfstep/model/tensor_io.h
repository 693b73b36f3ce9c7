// Between tensors and the torch-free arrays that files hold.
#ifndef HALFSTEP_MODEL_TENSOR_IO_H_
#define HALFSTEP_MODEL_TENSOR_IO_H_

#include <string_view>

#include "halfstep/core/tensor.h"
#include "halfstep/io/array.h"

namespace halfstep {

// A copy of `tensor` in C order on the CPU. Throws ConfigError for an element type that files do
// not hold.
io::Array to_array(const Tensor& tensor);

// A copy. bf16 and f16 become tensors of those types. Throws FormatError for a size that is not its
// shape's.
Tensor to_tensor(const io::ArrayView& array);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_TENSOR_IO_H_
