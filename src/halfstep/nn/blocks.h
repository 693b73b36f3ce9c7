// The blocks of the official U-Net (paper.md section 2 of the reference; unet.py of the official
// code).
#ifndef HALFSTEP_NN_BLOCKS_H_
#define HALFSTEP_NN_BLOCKS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/nn/layers.h"
#include "halfstep/nn/parameters.h"

namespace halfstep {

// shortcut(resample(x)) + conv2(drop(silu(norm2(h) (1 + scale) + shift))),
// h = conv1(resample(silu(norm1(x)))), scale and shift from the embedding.
class ResnetBlock {
 public:
  struct Options {
    int64_t in = 0;
    int64_t out = 0;
    int64_t emb = 0;
    double dropout = 0.0;
    Resample resample = Resample::none;
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

// Self-attention over the H W positions, residual: x + proj(softmax(q k^T / sqrt(head_dim)) v).
class AttentionBlock {
 public:
  AttentionBlock(Parameters& parameters, const std::string& name, int64_t channels, int64_t heads);
  Tensor operator()(const Tensor& x) const;

 private:
  int64_t heads_;
  NormConv qkv_;  // rows: q, k, v, each [heads, head_dim]
  Conv proj_out_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_BLOCKS_H_
