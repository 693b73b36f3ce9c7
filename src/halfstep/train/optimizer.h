// Adam with decoupled weight decay, gradient clipping and EMA, over all parameters as one vector.
#ifndef HALFSTEP_TRAIN_OPTIMIZER_H_
#define HALFSTEP_TRAIN_OPTIMIZER_H_

#include <cstdint>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/nn/network.h"

namespace halfstep {

struct OptimizerOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 0.0;  // decoupled; multiplied by the learning rate
  double grad_clip = 1.0;     // largest norm of the whole gradient; 0: no clipping
  double ema_decay = 0.0;     // 0: no EMA
  bool ema_warmup = false;    // the decay rises to ema_decay: min(ema_decay, (1 + t) / (10 + t))
};

// Everything that an update changes. Each vector is float32 and holds the values of all parameters
// in the network's order.
struct OptimizerState {
  Tensor parameters;
  Tensor first_moment;
  Tensor second_moment;
  Tensor ema;                // undefined if ema_decay is 0
  int64_t updates = 0;       // all updates, including skipped ones
  int64_t adam_updates = 0;  // updates that were not skipped: t of Adam
};

// Makes a network's parameters and their gradients views of two vectors, so that an update is a few
// passes over contiguous memory. The network must outlive the optimizer.
class Optimizer {
 public:
  Optimizer(Network& network, const OptimizerOptions& options);

  struct Step {
    double grad_norm = 0.0;  // before clipping
    bool skipped = false;    // the gradient was not finite: nothing was changed
  };
  // Makes one update from the accumulated gradient, and sets the gradient to zero for the next
  // backward pass. With g clipped to norm grad_clip, and t counted from 1:
  //   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
  //   p = p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) - lr weight_decay p
  //   ema = d ema + (1 - d) p
  // with d = ema_decay, or as ema_warmup says for update t, counted from 0; except that d = 0 in
  // the very first update, as in the official code. `norm` is the value of gradient_norm().
  Step step(double lr, double norm);
  Step step(double lr) { return step(lr, gradient_norm().item<double>()); }
  // Counts an update that changes nothing, and sets the gradient to zero.
  void skip();

  // Returns the norm of the accumulated gradient: one float64 number, on the network's device.
  Tensor gradient_norm() const;

  // Returns the optimizer's own tensors, not copies.
  const OptimizerState& state() const { return state_; }
  const Tensor& gradient() const { return gradient_; }
  // Copies the values of a saved state. Throws ConfigError if its shapes differ.
  void restore(const OptimizerState& state);

  // Returns the weights that are saved as the model, by the parameters' names: the EMA, or the
  // parameters if there is no EMA.
  std::vector<NamedTensor> averaged() const;
  // Returns the parts of a vector of the state's layout, by the parameters' names.
  std::vector<NamedTensor> named(const Tensor& vector) const;

 private:
  Network& network_;
  OptimizerOptions options_;
  OptimizerState state_;
  Tensor gradient_;
  std::vector<NamedTensor> parameters_;  // views of state_.parameters
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OPTIMIZER_H_
