// Parameters are plain tensors, made empty under a name and filled as a function of (seed, name).
#ifndef HALFSTEP_NN_PARAMETERS_H_
#define HALFSTEP_NN_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/core/precision.h"
#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"

namespace halfstep {

// lecun_normal: truncated normal (at 2 sigma) of variance 1 / fan_in; flax's default for kernels.
enum class Initializer { lecun_normal, zeros, ones };

// What a convolution computes with, made from its float32 parameter.
enum class WeightForm {
  plain,       // the parameter itself
  upsampling,  // upsampling_kernel of it
  winograd     // winograd_kernel of it, in float32 on the CPU; else the parameter itself
};

// A parameter of the layers that compute in the network's precision.
struct CastParameter {
  Tensor master;  // float32: what training changes
  // Its form, in float32 (the plain one: the same memory) or bfloat16; no gradient.
  Tensor value;
  WeightForm form = WeightForm::plain;
};

// Doubling an image by nearest neighbour and then convolving it 3 x 3 is, exactly, one transposed
// convolution of stride 2 and padding 1, in four ninths of the multiplications: the four copies of
// a pixel meet the kernel w as one. Its kernel [in, out, 4, 4] from w [out, in, 3, 3]:
//   W[i][o][y][x] = sum over a, b in {0, 1} of w[o][i][2 - (y - a)][2 - (x - b)]
Tensor upsampling_kernel(const Tensor& weight);
// The gradient with respect to w, from that with respect to W.
Tensor upsampling_kernel_backward(const Tensor& gradient);

class Parameters {
 public:
  // A new float32 parameter, not filled. fan_in matters to lecun_normal only.
  Tensor add(const std::string& name, at::IntArrayRef shape, Initializer initializer,
             int64_t fan_in = 0);

  CastParameter add_cast(const std::string& name, at::IntArrayRef shape, Initializer initializer,
                         int64_t fan_in = 0, WeightForm form = WeightForm::plain);

  // Fills every parameter from its initializer; a parameter's values depend on (seed, name) and its
  // shape only.
  void initialize(uint64_t seed);

  // What the values of cast parameters are from now on.
  void set_precision(Precision precision);

  // Rebuilds the values of all cast parameters. Must be called after parameters were written to or
  // moved; a network does so in Network::parameters_changed.
  void changed();

  // Throws Error if a parameter was written to since the last changed(), or if that call threw.
  void require_current() const;

  // Moves the storage of every parameter; the handles that `add` returned follow.
  void to(const at::Device& device);

  const std::vector<NamedTensor>& named() const { return named_; }

 private:
  struct Filling {
    Initializer initializer;
    int64_t fan_in;
  };
  std::vector<NamedTensor> named_;
  std::vector<Filling> fillings_;  // one for each of named_
  std::vector<CastParameter> casts_;
  Precision precision_ = Precision::fp32;
  // LibTorch's write counters of the masters of casts_ when their values were built; empty before.
  std::vector<uint32_t> versions_;
};

// Copies the values of `from` into `to`, name by name. Throws ConfigError if names or shapes
// differ.
void copy_parameters(const Network& from, Network& to);

}  // namespace halfstep

#endif  // HALFSTEP_NN_PARAMETERS_H_
