// The parameters of the official networks (flax) as ours.
//
//   flax                                         ours
//   "down_0.block_0/conv1/kernel" [k, k, I, O]   "down_0.block_0.conv1.weight" [O, I, k, k]
//   "dense0/kernel"               [I, O]         "dense0.weight"               [O, I], or [O, I, 1,
//   1] "norm_out/scale"              [C]            "norm_out.weight"             [C]
//   "mid.attn_1/{q,k,v}/kernel"   [C, h, d]      "mid.attn_1.qkv.weight"       [3 C, C]: rows q, k,
//   v, each [h, d] "mid.attn_1/{q,k,v}/bias"     [h, d]         "mid.attn_1.qkv.bias"         [3 C]
//   "mid.attn_1/proj_out/kernel"  [h, d, C]      "mid.attn_1.proj_out.weight"  [C, h d]
#ifndef HALFSTEP_TESTS_SUPPORT_FLAX_PARAMETERS_H_
#define HALFSTEP_TESTS_SUPPORT_FLAX_PARAMETERS_H_

#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"
#include "halfstep/nn/unet.h"
#include "tests/support/golden.h"

namespace halfstep::test {

// The name that a flax path has among ours.
std::string our_name(const std::string& flax_path);

// The part of our parameter (or of its gradient) that a flax path stands for: a third of a qkv,
// else all of it. A view.
Tensor part_of(const std::string& flax_path, const Tensor& ours);

// A flax array in the layout of that part.
Tensor from_flax(const std::string& flax_path, const Tensor& value, at::IntArrayRef part_shape);

// That part in the layout of a flax array.
Tensor to_flax(const std::string& flax_path, const Tensor& part, at::IntArrayRef flax_shape);

// The parameter of this name.
Tensor find(const std::vector<NamedTensor>& parameters, const std::string& name);

// Fills the parameters with the arrays under `prefix` ("params/", "params/teacher/"); every
// parameter and every array must have its counterpart.
void load_flax(const Golden& golden, const std::string& prefix,
               const std::vector<NamedTensor>& parameters);

// settings()["config"]
UNetOptions unet_options(const Golden& golden);

// The official logsnr_input_type.
TimeInput time_input_named(const std::string& logsnr_input_type);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_FLAX_PARAMETERS_H_
