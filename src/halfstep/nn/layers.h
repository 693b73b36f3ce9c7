// The layers of the blocks. Activations are [B, C, H, W] in channels-last memory, float32 or
// bfloat16. Parameters are float32; convolutions compute with a copy of them in the type of the
// activations, which Parameters::changed rebuilds.
#ifndef HALFSTEP_NN_LAYERS_H_
#define HALFSTEP_NN_LAYERS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/dropout.h"
#include "halfstep/nn/kernels/group_norm.h"
#include "halfstep/nn/kernels/resample.h"
#include "halfstep/nn/parameters.h"

namespace halfstep {

// y = x W^T + b for each row of x [B, in], in float32: [B, out].
class Dense {
 public:
  enum class Bias { yes, no };
  Dense(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
        Bias bias = Bias::yes, Initializer initializer = Initializer::lecun_normal);
  Tensor operator()(const Tensor& x) const;

 private:
  Tensor weight_;  // [out, in]
  Tensor bias_;    // [out], or undefined
};

struct ConvOptions {
  int64_t in = 0;
  int64_t out = 0;
  int64_t kernel_size = 3;
  int64_t stride = 1;
  Initializer initializer = Initializer::lecun_normal;
  bool symmetric = false;  // stride 2 pads 1 on all sides, as PyTorch does
  bool upsample = false;   // doubles the image first; needs stride 1 and kernel_size 3
  bool matrix = false;     // stores the weight as [out, in]; needs kernel_size 1
  bool float32 = false;    // computes in float32 whatever the precision of the network
};

// A k x k convolution with bias and 'SAME' padding; stride 2 on an even size pads 0 before and 1
// after, unless `symmetric`. With `upsample` the result is that of the image doubled by nearest
// neighbour, which is never materialized (upsampling_kernel).
class Conv {
 public:
  Conv(Parameters& parameters, const std::string& name, const ConvOptions& options);
  Tensor operator()(const Tensor& x) const;

 private:
  friend class NormConv;
  CastParameter weight_;  // [out, in, k, k], or [out, in]
  CastParameter bias_;    // [out]
  int64_t stride_;
  bool symmetric_;
};

// Group normalization and a convolution as one operator:
//   y = conv(drop(resample(act(norm(x) (1 + scale) + shift))))
// The backward pass recomputes the input of the convolution, in the pass over x that it needs
// anyway, so that training keeps only x.
class NormConv {
 public:
  struct Options {
    ConvOptions conv;  // its `upsample` is set if resample is up
    GroupNormOptions norm = {.activation = Activation::silu};
    Resample resample = Resample::none;
  };
  struct Dropout {
    double rate;
    DropoutKey key;
    uint32_t site;
  };
  // x is the input again. The gradient of a residual connection that starts from this x, rather
  // than from the argument, is added in the pass that computes the gradient of x.
  struct Result {
    Tensor y;
    Tensor x;
  };

  NormConv(Parameters& parameters, const std::string& norm, const std::string& conv,
           const Options& options);
  // modulation is scale and shift per example, float32 [B, 2 in]; undefined means zeros.
  Result operator()(const Tensor& x, const Tensor& modulation = {},
                    const std::optional<Dropout>& dropout = std::nullopt) const;

 private:
  Tensor composed(const Tensor& x, const Tensor& modulation,
                  const std::optional<Dropout>& dropout) const;

  GroupNormOptions norm_;
  Resample resample_;   // none or down; the convolution does the doubling
  Tensor norm_weight_;  // [in]
  Tensor norm_bias_;    // [in]
  Conv conv_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_LAYERS_H_
