// The blocks of U-Nets: those of the official one (paper.md section 2 of the reference; unet.py of
// the official code) by default, and those of diffusers' UNet2DModel.
#ifndef HALFSTEP_NN_BLOCKS_H_
#define HALFSTEP_NN_BLOCKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"
#include "halfstep/nn/dropout.h"
#include "halfstep/nn/layers.h"
#include "halfstep/nn/parameters.h"
#include "halfstep/nn/time_embedding.h"

namespace halfstep {

// shortcut(resample(x)) + conv2(drop(silu(norm2(h) (1 + scale) + shift))),
// h = conv1(resample(silu(norm1(x)))), scale and shift from the embedding; or
// TimeScaleShift::shift.
class ResnetBlock {
 public:
  struct Options {
    int64_t in = 0;
    int64_t out = 0;
    int64_t emb = 0;
    double dropout = 0.0;
    Resample resample = Resample::none;
    TimeScaleShift time = TimeScaleShift::scale_shift;
    GroupNormOptions norm;  // but for its activation, here and below
  };
  ResnetBlock(Parameters& parameters, const std::string& name, const Options& options);
  // emb: silu of the time (and class) embedding, float32 [B, emb]
  Tensor operator()(const Tensor& x, const Tensor& emb,
                    const std::optional<DropoutKey>& dropout) const;

 private:
  Options options_;
  uint32_t dropout_site_;
  NormConv conv1_;
  Dense temb_proj_;
  NormConv conv2_;
  std::optional<Conv> nin_shortcut_;
};

// Self-attention over the H W positions, residual: x + proj(softmax(q k^T / sqrt(head_dim)) v),
// q, k and v from norm(x).
class AttentionBlock {
 public:
  struct Options {
    int64_t channels = 0;
    int64_t heads = 1;
    std::optional<GroupNormOptions> norm = GroupNormOptions{};  // none: from x itself
  };
  AttentionBlock(Parameters& parameters, const std::string& name, const Options& options);
  Tensor operator()(const Tensor& x) const;

 private:
  int64_t heads_;
  std::variant<NormConv, Conv>
      qkv_;  // with and without norm; rows: q, k, v, each [heads, head_dim]
  Conv proj_out_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_BLOCKS_H_
