// The layers that blocks are made of. Activations are [B, C, H, W] in channels-last memory, float32
// or bfloat16; parameters are float32, and convolutions compute with a copy of them in the type of
// the activations (Parameters::changed).
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

// y = x W^T + b for each row of x [B, in], in float32.
class Dense {
 public:
  enum class Bias { yes, no };
  Dense(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
        Bias bias = Bias::yes);
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
  bool symmetric = false;  // of stride 2: pads 1 on all sides, as PyTorch's own
  bool upsample = false;   // doubles the image beforehand: stride 1, kernel_size 3
  bool matrix = false;     // kernel_size 1, its weight kept as [out, in]
  bool float32 = false;    // computes in float32 whatever the network's precision
};

// k x k convolution with bias, 'SAME': stride 2 on an even size pads 0 before and 1 after, but for
// `symmetric`. With upsample, of the image doubled by nearest neighbour, which is never made
// (upsampling_kernel).
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

// Group normalisation, then a convolution, as one operator:
//   y = conv(drop(resample(act(norm(x) (1 + scale) + shift))))
// Its backward pass makes the convolution's input again, in the pass over x that it needs anyway:
// of a layer, a training step keeps x and nothing else.
class NormConv {
 public:
  struct Options {
    ConvOptions conv;  // its `upsample` is set where resample is up
    GroupNormOptions norm = {.activation = Activation::silu};
    Resample resample = Resample::none;
  };
  struct Dropout {
    double rate;
    DropoutKey key;
    uint32_t site;
  };
  // x is the input once more. A residual connection that starts from here, rather than from what
  // was handed in, has its gradient added to x's while that is computed.
  struct Result {
    Tensor y;
    Tensor x;
  };

  NormConv(Parameters& parameters, const std::string& norm, const std::string& conv,
           const Options& options);
  // modulation: scale and shift an example, float32 [B, 2 in]; undefined: zeros
  Result operator()(const Tensor& x, const Tensor& modulation = {},
                    const std::optional<Dropout>& dropout = std::nullopt) const;

 private:
  Tensor composed(const Tensor& x, const Tensor& modulation,
                  const std::optional<Dropout>& dropout) const;

  GroupNormOptions norm_;
  Resample resample_;   // none or down; doubling is the convolution's
  Tensor norm_weight_;  // [in]
  Tensor norm_bias_;    // [in]
  Conv conv_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_LAYERS_H_
