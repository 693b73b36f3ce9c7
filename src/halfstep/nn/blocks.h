// The parts of the official U-Net (paper.md section 2 of the reference; unet.py of the official
// code). Activations are [B, C, H, W] in channels-last memory, float32 or bfloat16; parameters are
// float32 and cast where they meet them.
#ifndef HALFSTEP_NN_BLOCKS_H_
#define HALFSTEP_NN_BLOCKS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/nn/kernels/group_norm.h"
#include "halfstep/nn/parameters.h"

namespace halfstep {

// y = x W^T + b on the last axis.
class Dense {
 public:
  Dense(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
        Initializer kernel = Initializer::lecun_normal);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_;  // [out, in]
  Tensor bias_;    // [out]
};

// k x k convolution with bias, 'SAME': stride 2 on an even size pads 0 before and 1 after.
class Conv {
 public:
  Conv(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
       int64_t kernel_size, Initializer kernel = Initializer::lecun_normal, int64_t stride = 1);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_;  // [out, in, k, k]
  Tensor bias_;    // [out]
  int64_t stride_;
};

// Group normalisation with 32 groups; optionally a (1 + scale), shift an example and SiLU.
class Norm {
 public:
  Norm(Parameters& parameters, const std::string& name, int64_t channels);
  Tensor operator()(const Tensor& x, Activation activation) const;
  // (norm(x) (1 + scale) + shift) then SiLU; scale, shift [B, C] float32
  Tensor modulated_silu(const Tensor& x, const Tensor& scale, const Tensor& shift) const;

 private:
  Tensor weight_;  // [C]
  Tensor bias_;    // [C]
};

enum class Resample { none, down, up };

// Half (2 x 2 means) or double (nearest) the height and width.
Tensor resample(const Tensor& x, Resample how);

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
  Norm norm1_;
  Conv conv1_;
  Dense temb_proj_;
  Norm norm2_;
  Conv conv2_;
  std::optional<Conv> nin_shortcut_;
};

// Self-attention over the H W positions, residual: x + proj(softmax(q k^T / sqrt(head_dim)) v).
class AttentionBlock {
 public:
  AttentionBlock(Parameters& parameters, const std::string& name, int64_t channels, int64_t heads);
  Tensor operator()(const Tensor& x) const;

 private:
  int64_t heads_;
  Norm norm_;
  Dense qkv_;  // rows: q, k, v, each [heads, head_dim]
  Dense proj_out_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_BLOCKS_H_
