// The interface of denoising networks.
#ifndef HALFSTEP_NN_NETWORK_H_
#define HALFSTEP_NN_NETWORK_H_

#include <ATen/core/grad_mode.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/core/precision.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"
#include "halfstep/nn/dropout.h"

namespace halfstep {

struct NamedTensor {
  std::string name;
  Tensor tensor;
};

// How a forward call runs, apart from its inputs.
struct ForwardOptions {
  std::optional<DropoutKey> dropout;  // the masks to draw, in training; none: no dropout
};

// Const calls are safe from several threads at once, as long as no thread changes the network.
class Network {
 public:
  virtual ~Network() = default;

  // Returns the raw output, float32 [B, C or 2 C, ...], at z float32 [B, C, ...] (for example
  // images [B, C, H, W]) and angles phi float64 [B]. Builds a graph if gradient mode is on. Throws
  // ConfigError if a shape does not fit or the condition has an input that this network lacks.
  Tensor forward(const Tensor& z, const Tensor& phi, const Condition& condition,
                 const ForwardOptions& options = {}) const {
    return forward_impl(z, phi, condition, options);
  }

  // Fills all parameters with fresh weights, a function of (seed, name) and the shape of each.
  virtual void initialize(uint64_t seed) = 0;

  // Returns the network's own parameters, float32, in a fixed order, for reading. Tensors are
  // handles, so the compiler does not stop a caller who writes to them: write through a
  // ParameterEditor, which also rebuilds what the network caches.
  virtual const std::vector<NamedTensor>& parameters() const = 0;

  // Returns a deep copy with the same values and precision, without gradients.
  virtual std::unique_ptr<Network> clone() const = 0;

  // Sets the precision that activations and cast weights have inside the network; parameters and
  // output stay float32.
  virtual void set_precision(Precision precision) = 0;

  // Turns activation checkpointing on or off: the graph keeps only the inputs of each block, and
  // the backward pass computes the rest again, which takes less memory and more time and gives the
  // same bits. Networks without blocks ignore it.
  virtual void set_activation_checkpointing(bool /*on*/) {}

  // Returns the sites of the network's own dropout layers, whose masks forward() draws.
  virtual std::vector<uint32_t> dropout_sites() const { return {}; }

  // Returns whether a device can capture forward() and its backward pass as a graph
  // (device/device_graph.h). Code that is not ours may read results on the host.
  virtual bool is_capturable() const { return false; }

  // Moves parameters and buffers to a device.
  virtual void to(const at::Device& device) = 0;

 private:
  friend class ParameterEditor;

  virtual Tensor forward_impl(const Tensor& z, const Tensor& phi, const Condition& condition,
                              const ForwardOptions& options) const = 0;

  // Rebuilds what the network caches from its parameters: their bfloat16 copies, for example. Where
  // it throws, forward() must refuse to run until a later call succeeds.
  virtual void parameters_changed() = 0;
};

// Gives write access to a network's parameters for as long as it lives; gradient mode is off
// meanwhile, so that parameters that require a gradient can be written in place. The destructor
// rebuilds what the network caches from its parameters.
//
//     const ParameterEditor editor(network);
//     for (const NamedTensor& parameter : editor.parameters()) parameter.tensor.copy_(...);
//
// The network must not be called, edited or destroyed by others while an editor lives.
class ParameterEditor {
 public:
  explicit ParameterEditor(Network& network) : network_(network) {}
  ParameterEditor(const ParameterEditor&) = delete;
  ParameterEditor& operator=(const ParameterEditor&) = delete;
  // Never throws: where rebuilding fails (out of memory), the network's next forward() throws.
  ~ParameterEditor();

  // Returns the parameters. Their values may be overwritten and their storage exchanged (set_data).
  const std::vector<NamedTensor>& parameters() const { return network_.parameters(); }

 private:
  const at::NoGradGuard no_grad_;
  Network& network_;
};

// The inputs of a network besides z, phi and labels.
struct NetworkInputs {
  bool guidance = false;     // the guidance weight
  int64_t condition_ch = 0;  // channels of the image kConditionImage; 0: none
};

// Throws ConfigError if the condition of a batch z has something that the network does not take, if
// it lacks guidance, or if its image does not fit z. `where` names the network in the message.
void require_inputs(const std::string& where, const Condition& condition, const Tensor& z,
                    const NetworkInputs& inputs);

// Returns the image that a batch z is conditioned on, float32 [B, condition_ch, H, W] on z's
// device: zeros where the condition has none. Undefined if condition_ch is 0.
Tensor condition_image(const Condition& condition, const Tensor& z, int64_t condition_ch);

// Returns the number of elements of all parameters.
int64_t count_parameters(const Network& network);

}  // namespace halfstep

#endif  // HALFSTEP_NN_NETWORK_H_
