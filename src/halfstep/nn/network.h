// A denoising network, as everything above nn/ sees it.
#ifndef HALFSTEP_NN_NETWORK_H_
#define HALFSTEP_NN_NETWORK_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "halfstep/core/precision.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"

namespace halfstep {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

class Network {
 public:
  virtual ~Network() = default;

  // The raw output at z [B, C, ...] (float32), images [B, C, H, W] say, for angles phi float64 [B];
  // float32 [B, C or 2 C, ...]. Uses condition.labels and condition.dropout; guidance is the
  // caller's (two calls). Builds a graph where grad mode is on.
  virtual Tensor forward(const Tensor& z, const Tensor& phi, const Condition& condition) const = 0;

  // Fresh weights: a parameter's are a function of (seed, name) and its shape.
  virtual void initialize(uint64_t seed) const = 0;

  // In a fixed order, float32. The tensors are the network's own: whoever writes to them, or gives
  // them other storage, calls parameters_changed() after.
  virtual const std::vector<NamedTensor>& parameters() const = 0;

  // Makes what the network computes with from the parameters, once for all calls until they change
  // again.
  virtual void parameters_changed() const = 0;

  // A deep copy: same values, same precision, no gradients.
  virtual std::unique_ptr<Network> clone() const = 0;

  virtual void set_precision(Precision precision) = 0;
  // Whether a graph keeps of each block only what goes into it, and the backward pass computes the
  // rest again: less memory, more time, the same bits. A network without blocks keeps all.
  virtual void set_activation_checkpointing(bool /*on*/) {}
  virtual void to(const at::Device& device) = 0;
};

int64_t count_parameters(const Network& network);

}  // namespace halfstep

#endif  // HALFSTEP_NN_NETWORK_H_
