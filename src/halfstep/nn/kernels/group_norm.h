// Group normalisation, scale and shift, and SiLU, as one pass: half of a residual block's memory
// traffic.
#ifndef HALFSTEP_NN_KERNELS_GROUP_NORM_H_
#define HALFSTEP_NN_KERNELS_GROUP_NORM_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep {

enum class Activation { none, silu };

struct GroupNormOptions {
  int64_t groups = 32;
  double epsilon = 1e-6;  // the official code's, not PyTorch's 1e-5
  Activation activation = Activation::none;
};

// y = act((x - mean) / sqrt(var + epsilon) * scale + shift)
// x [B, C, H, W] float32 or bfloat16; mean and (biased) var of each example's group of C / groups
// neighbouring channels, in float32; scale, shift float32 [B, C] or [1, C]. -> like x.
// Differentiable in x, scale and shift. Fused on the CPU for channels-last x; elsewhere the plain
// form.
Tensor group_norm(const Tensor& x, const Tensor& scale, const Tensor& shift,
                  const GroupNormOptions& options);

// The same in ATen operators: the definition that the fused kernel is tested against, and what
// other devices run.
Tensor group_norm_plain(const Tensor& x, const Tensor& scale, const Tensor& shift,
                        const GroupNormOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_GROUP_NORM_H_
