// Group normalization, scale and shift, and SiLU in one pass, which halves the memory traffic of a
// residual block.
#ifndef HALFSTEP_NN_KERNELS_GROUP_NORM_H_
#define HALFSTEP_NN_KERNELS_GROUP_NORM_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep {

enum class Activation { none, silu };

struct GroupNormOptions {
  int64_t groups = 32;
  double epsilon = 1e-6;  // as in the official code; PyTorch's default is 1e-5
  Activation activation = Activation::none;
};

// Returns y = act((x - mean) / sqrt(var + epsilon) * scale + shift), with the shape and type of x.
// x is [B, C, H, W], float32 or bfloat16. mean and the biased var are those of each group of
// C / groups neighbouring channels of each example, in float32. scale and shift are float32 [B, C]
// or [1, C]. Differentiable once in x, scale and shift. Fused on the CPU for channels-last x;
// otherwise the plain form.
Tensor group_norm(const Tensor& x, const Tensor& scale, const Tensor& shift,
                  const GroupNormOptions& options);

// Does the same in ATen operators. The fused kernel is tested against it, and other devices run it.
Tensor group_norm_plain(const Tensor& x, const Tensor& scale, const Tensor& shift,
                        const GroupNormOptions& options);

// The two passes separately, for operators that contain a norm. They build no graph.

// Returns whether the fused kernel can run: x is on the CPU and float32 or bfloat16.
bool has_fused_group_norm(const Tensor& x);

struct GroupNormMoments {
  Tensor mean;  // float32 [B, groups]
  Tensor rstd;  // float32 [B, groups], 1 / sqrt(var + epsilon)
};

// Computes y and the moments. Here and below, x is dense and channels-last.
Tensor group_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                          const GroupNormOptions& options, GroupNormMoments& moments);

struct GroupNormGradients {
  Tensor dx;      // like x
  Tensor dscale;  // float32 [B, C], even if scale is [1, C]
  Tensor dshift;
};

// Computes the gradients. Overwrites `dy`, which is dense and channels-last, with y, which a
// convolution after the norm needs next. Adds `add`, shaped like x, to dx if it is defined.
GroupNormGradients group_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& scale,
                                       const Tensor& shift, const GroupNormMoments& moments,
                                       const Tensor& add, const GroupNormOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_GROUP_NORM_H_
