// Checkpoints of the official code (flax) as models.
//
//   flax                                         ours
//   "down_0.block_0/conv1/kernel" [k, k, I, O]   "down_0.block_0.conv1.weight" [O, I, k, k]
//   "dense0/kernel"               [I, O]         "dense0.weight" [O, I], or [O, I, 1, 1]
//   "norm_out/scale"              [C]            "norm_out.weight" [C]
//   "mid.attn_1/{q,k,v}/kernel"   [C, h, d]      "mid.attn_1.qkv.weight" [3 C, C]: rows q, k, v
//   "mid.attn_1/{q,k,v}/bias"     [h, d]         "mid.attn_1.qkv.bias" [3 C]
//   "mid.attn_1/proj_out/kernel"  [h, d, C]      "mid.attn_1.proj_out.weight" [C, h d]
#ifndef HALFSTEP_CONVERT_FLAX_CHECKPOINT_H_
#define HALFSTEP_CONVERT_FLAX_CHECKPOINT_H_

#include <filesystem>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/model/model.h"

namespace halfstep {

// Whether the file begins as such a checkpoint does; one of another kind may do so too.
bool may_be_flax_checkpoint(const std::filesystem::path& path);

// The EMA weights of a checkpoint, and the N that it was distilled for. What the file does not say
// is from `spec`: network, output, schedule. Throws FormatError that names the first array which
// that network lacks, has another size of, or which is missing.
Model load_flax_checkpoint(const std::filesystem::path& path, ModelSpec spec);

// The name that a flax path has among ours.
std::string our_name(const std::string& flax_path);

// The part of our parameter (or of its gradient) that a flax path stands for: a third of a qkv,
// else all of it. A view.
Tensor part_of(const std::string& flax_path, const Tensor& ours);

// A flax array in the layout of that part, which has as many elements; releases differ in the
// shapes of norms.
Tensor from_flax(const std::string& flax_path, const Tensor& value, at::IntArrayRef part_shape);

}  // namespace halfstep

#endif  // HALFSTEP_CONVERT_FLAX_CHECKPOINT_H_
