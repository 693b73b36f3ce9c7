// Self-attention over the positions of an image.
#ifndef HALFSTEP_NN_KERNELS_ATTENTION_H_
#define HALFSTEP_NN_KERNELS_ATTENTION_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep {

// Returns out = softmax(q k^T / sqrt(d)) v for each example and head, over the H W positions:
// [B, C, H, W]. qkv is [B, 3 C, H, W], float32 or bfloat16; its channels are q, k, v, each
// [heads, d] with C = heads d. Differentiable once. Fused on the CPU for float32, and for bfloat16
// if the CPU has instructions for it: the H W by H W matrices never leave the cache, and the
// backward pass recomputes them. Otherwise the plain form.
Tensor attention(const Tensor& qkv, int64_t heads);

// Does the same in ATen operators. The fused kernel is tested against it.
Tensor attention_plain(const Tensor& qkv, int64_t heads);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_ATTENTION_H_
