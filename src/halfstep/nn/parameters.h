// The parameters of our own networks: plain float32 tensors with names, filled as a function of
// (seed, name).
#ifndef HALFSTEP_NN_PARAMETERS_H_
#define HALFSTEP_NN_PARAMETERS_H_

#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/core/precision.h"
#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"

namespace halfstep {

// lecun_normal: normal, truncated at 2 sigma, with variance 1 / fan_in; flax's default for kernels.
enum class Initializer { lecun_normal, zeros, ones };

// The form of a float32 parameter that a convolution computes with.
enum class WeightForm {
  plain,       // the parameter itself
  upsampling,  // its upsampling_kernel
  winograd     // its winograd_kernel in float32 on the CPU; otherwise the parameter itself
};

// A parameter of a layer that computes in the precision of the network.
struct CastParameter {
  Tensor master;  // float32; this is what training changes
  // The form of the master in float32 or bfloat16, without gradient. The plain form in float32
  // shares the master's memory.
  Tensor value;
  WeightForm form = WeightForm::plain;
};

// Doubling an image by nearest neighbour and then applying a 3 x 3 convolution w [out, in, 3, 3]
// equals one transposed convolution of stride 2 and padding 1, with four ninths of the
// multiplications. Returns its kernel W [in, out, 4, 4]:
//   W[i][o][y][x] = sum over a, b in {0, 1} of w[o][i][2 - (y - a)][2 - (x - b)]
Tensor upsampling_kernel(const Tensor& weight);
// Returns the gradient with respect to w from the gradient with respect to W.
Tensor upsampling_kernel_backward(const Tensor& gradient);

class Parameters {
 public:
  // Adds a float32 parameter and returns it, not filled. Only lecun_normal uses fan_in.
  Tensor add(const std::string& name, at::IntArrayRef shape, Initializer initializer,
             int64_t fan_in = 0);

  // Adds a parameter with a form that follows the precision.
  CastParameter add_cast(const std::string& name, at::IntArrayRef shape, Initializer initializer,
                         int64_t fan_in = 0, WeightForm form = WeightForm::plain);

  // Fills every parameter from its initializer. The values depend only on (seed, name) and the
  // shape.
  void initialize(uint64_t seed);

  // Sets the type of the values of cast parameters and rebuilds them.
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
  std::vector<Filling> fillings_;  // one per parameter
  std::vector<CastParameter> casts_;
  Precision precision_ = Precision::fp32;
  // LibTorch's write counters of the masters of casts_ when their values were built; empty before.
  std::vector<uint32_t> versions_;
};

// Copies the values of `from` into the parameters of `to`, name by name. Throws ConfigError if
// names or shapes differ.
void copy_parameters(const std::vector<NamedTensor>& from, Network& to);
void copy_parameters(const Network& from, Network& to);

// Gives a U-Net the weights of another that may take a smaller condition, or classes that `to` does
// not take, so that `to` begins as `from` without a class:
//   - conv_in of `to` may take more channels, whose weights become zero;
//   - without classes, the bias of class_emb, which is added for the null label too, is added to
//     that of dense1.
// Throws ConfigError if the names or shapes differ in anything else.
void start_from_parameters(const Network& from, Network& to);

}  // namespace halfstep

#endif  // HALFSTEP_NN_PARAMETERS_H_
