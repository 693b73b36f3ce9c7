#ifndef HALFSTEP_NN_KERNELS_CONCAT_H_
#define HALFSTEP_NN_KERNELS_CONCAT_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

// The channels of a [B, C, H, W], then those of b: [B, C + D, H, W]. Differentiable. On the CPU in
// channels-last memory, and so are the gradients: what follows takes them as they are. Elsewhere
// at::cat.
Tensor concat_channels(const Tensor& a, const Tensor& b);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_CONCAT_H_
