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

// A parameter of the layers that compute in the network's precision.
struct CastParameter {
  Tensor master;  // float32: what training changes
  Tensor value;   // what the layer computes with: the same memory, or a bfloat16 copy; no gradient
};

class Parameters {
 public:
  // A new float32 parameter, not filled. fan_in matters to lecun_normal only.
  Tensor add(const std::string& name, at::IntArrayRef shape, Initializer initializer,
             int64_t fan_in = 0);

  CastParameter add_cast(const std::string& name, at::IntArrayRef shape, Initializer initializer,
                         int64_t fan_in = 0);

  // Fills every parameter from its initializer; a parameter's values depend on (seed, name) and its
  // shape only.
  void initialize(uint64_t seed) const;

  // What the values of cast parameters are from now on.
  void set_precision(Precision precision);

  // Makes the values anew. Whoever writes to parameters, or moves them, calls it after.
  void changed() const;

  // Moves the storage of every parameter; the handles that `add` returned follow.
  void to(const at::Device& device) const;

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
};

// Copies the values of `from` into `to`, name by name. Throws ConfigError where the names or shapes
// differ.
void copy_parameters(const Network& from, const Network& to);

}  // namespace halfstep

#endif  // HALFSTEP_NN_PARAMETERS_H_
