// The blocks of U-Nets. By default they are those of the official code of progressive distillation
// (unet.py); options make them those of diffusers' UNet2DModel.
#ifndef HALFSTEP_NN_BLOCKS_H_
#define HALFSTEP_NN_BLOCKS_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/dropout.h"
#include "halfstep/nn/layers.h"
#include "halfstep/nn/parameters.h"
#include "halfstep/nn/time_embedding.h"

namespace halfstep {

// A residual block, [B, in, H, W] -> [B, out, H', W'] with H' and W' as `resample` changes them:
//   h = conv1(resample(silu(norm1(x))))
//   y = shortcut(resample(x)) + conv2(drop(silu(norm2(h) (1 + scale) + shift)))
// scale and shift are linear in the embedding. With TimeScaleShift::shift,
//   y = shortcut(resample(x)) + conv2(drop(silu(norm2(h + shift)))).
// The shortcut is a 1 x 1 convolution if in != out, and the identity otherwise.
class ResnetBlock {
 public:
  struct Options {
    int64_t in = 0;
    int64_t out = 0;
    int64_t emb = 0;
    double dropout = 0.0;
    Resample resample = Resample::none;
    TimeScaleShift time = TimeScaleShift::scale_shift;
    GroupNormOptions norm;  // its activation is ignored, here and below
  };
  ResnetBlock(Parameters& parameters, const std::string& name, const Options& options);
  // emb is silu of the embedding of time and class, float32 [B, emb]. Without `dropout` nothing is
  // dropped, whatever the rate.
  Tensor operator()(const Tensor& x, const Tensor& emb,
                    const std::optional<DropoutKey>& dropout) const;

  uint32_t dropout_site() const { return dropout_site_; }

 private:
  Options options_;
  uint32_t dropout_site_;
  NormConv conv1_;
  Dense temb_proj_;
  NormConv conv2_;
  std::optional<Conv> nin_shortcut_;
};

// Self-attention over the H W positions with a residual connection, [B, channels, H, W] -> the
// same:
//   y = x + proj(softmax(q k^T / sqrt(head_dim)) v),  (q, k, v) = qkv(norm(x))
class AttentionBlock {
 public:
  struct Options {
    int64_t channels = 0;
    int64_t heads = 1;
    std::optional<GroupNormOptions> norm = GroupNormOptions{};  // none: q, k, v from x itself
  };
  AttentionBlock(Parameters& parameters, const std::string& name, const Options& options);
  Tensor operator()(const Tensor& x) const;

 private:
  int64_t heads_;
  std::variant<NormConv, Conv>
      qkv_;  // with and without norm; its rows are q, k, v, each [heads, head_dim]
  Conv proj_out_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_BLOCKS_H_
