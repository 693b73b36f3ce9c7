#ifndef HALFSTEP_NN_KERNELS_CAST_H_
#define HALFSTEP_NN_KERNELS_CAST_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

// Sets values[i] = masters[i] rounded to bfloat16 for all i, in one parallel loop. All tensors are
// on one device, and values[i] has the memory layout of masters[i].
void cast_to_bfloat16(at::TensorList masters, at::TensorList values);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_CAST_H_
