#ifndef HALFSTEP_NN_KERNELS_CAST_H_
#define HALFSTEP_NN_KERNELS_CAST_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

// values[i] = masters[i] rounded to bfloat16, for all i as one piece of work. All are on one
// device; tensors that belong together lie in memory alike.
void cast_to_bfloat16(at::TensorList masters, at::TensorList values);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_CAST_H_
