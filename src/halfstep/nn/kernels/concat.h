#ifndef HALFSTEP_NN_KERNELS_CONCAT_H_
#define HALFSTEP_NN_KERNELS_CONCAT_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

// Returns the channels of a [B, C, H, W] followed by those of b [B, D, H, W]: [B, C + D, H, W].
// Differentiable once. On the CPU, the result and the gradients are channels-last, so that the next
// operators need not copy them; other devices use at::cat. Throws ConfigError if the images differ
// in size.
Tensor concat_channels(const Tensor& a, const Tensor& b);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_CONCAT_H_
