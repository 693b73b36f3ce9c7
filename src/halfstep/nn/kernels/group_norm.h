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

// The two passes by themselves, for operators that hold a norm. They build no graph.

// Where the fused kernel runs: the CPU, float32 or bfloat16, rows of float32.
bool has_fused_group_norm(const Tensor& x);

struct GroupNormMoments {
  Tensor mean;  // float32 [B, groups]
  Tensor rstd;  // float32 [B, groups], 1 / sqrt(var + epsilon)
};

// x dense and channels-last, here and below.
Tensor group_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                          const GroupNormOptions& options, GroupNormMoments& moments);

struct GroupNormGradients {
  Tensor dx;      // like x
  Tensor dscale;  // float32 [B, C], also where one row served all examples
  Tensor dshift;
};

// `dy`, dense and channels-last, is replaced by y: what a convolution after the norm asks for next.
// `add`, like x, is added to dx where it is defined.
GroupNormGradients group_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& scale,
                                       const Tensor& shift, const GroupNormMoments& moments,
                                       const Tensor& add, const GroupNormOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_GROUP_NORM_H_
