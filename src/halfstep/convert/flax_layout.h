// How the parameters of the official networks (flax) correspond to ours.
//
//   flax                                         ours
//   "down_0.block_0/conv1/kernel" [k, k, I, O]   "down_0.block_0.conv1.weight" [O, I, k, k]
//   "dense0/kernel"               [I, O]         "dense0.weight" [O, I], or [O, I, 1, 1]
//   "norm_out/scale"              [C]            "norm_out.weight" [C]
//   "mid.attn_1/{q,k,v}/kernel"   [C, h, d]      "mid.attn_1.qkv.weight" [3 C, C]: rows q, k, v
//   "mid.attn_1/{q,k,v}/bias"     [h, d]         "mid.attn_1.qkv.bias" [3 C]
//   "mid.attn_1/proj_out/kernel"  [h, d, C]      "mid.attn_1.proj_out.weight" [C, h d]
#ifndef HALFSTEP_CONVERT_FLAX_LAYOUT_H_
#define HALFSTEP_CONVERT_FLAX_LAYOUT_H_

#include <string>

#include "halfstep/core/tensor.h"

namespace halfstep {

// Returns our name for the parameter with this flax path.
std::string our_name(const std::string& flax_path);

// Returns the part of our parameter, or of its gradient, that a flax path stands for: a third of a
// qkv, otherwise all of it. The result is a view.
Tensor part_of(const std::string& flax_path, const Tensor& ours);

// Returns a flax array in the layout of that part, which has as many elements. (The shapes of norms
// differ between releases of flax.)
Tensor from_flax(const std::string& flax_path, const Tensor& value, at::IntArrayRef part_shape);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_FLAX_LAYOUT_H_
