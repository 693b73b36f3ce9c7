// Self-attention over the positions of an image.
#ifndef HALFSTEP_NN_KERNELS_ATTENTION_H_
#define HALFSTEP_NN_KERNELS_ATTENTION_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep {

// out = softmax(q k^T / sqrt(d)) v for each example and head, over the H W positions.
// qkv [B, 3 C, H, W] float32 or bfloat16: channels are q, k, v, each [heads, d], C = heads d.
// -> [B, C, H, W] like qkv. Differentiable. On the CPU fused, for float32 and where there are
// instructions for it bfloat16: the H W by H W matrices never leave the cache, and the backward
// pass makes them again. Elsewhere the plain form.
Tensor attention(const Tensor& qkv, int64_t heads);

// The same in ATen operators: the definition that the fused kernel is tested against.
Tensor attention_plain(const Tensor& qkv, int64_t heads);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_ATTENTION_H_
