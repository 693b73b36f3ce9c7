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
  double weight_decay =
      0.0;                 // decoupled: times the learning rate and the parameter before the update
  double grad_clip = 1.0;  // largest norm of the whole gradient; 0 = no clipping
  double ema_decay = 0.0;  // 0 = the average is the parameters themselves
};

// Everything that an update changes. Vectors are float32 of the length of all parameters, in the
// network's order.
struct OptimizerState {
  Tensor parameters;
  Tensor first_moment;
  Tensor second_moment;
  Tensor ema;                // undefined where ema_decay is 0
  int64_t updates = 0;       // updates made or skipped
  int64_t adam_updates = 0;  // updates made: t of Adam
};

// Takes hold of a network's parameters: they and their gradients become views of two vectors, so
// that an update is a handful of passes over memory whatever the number of parameters. The network
// must outlive it.
class Optimizer {
 public:
  Optimizer(Network& network, const OptimizerOptions& options);

  struct Step {
    double grad_norm = 0.0;  // before clipping
    bool skipped = false;    // the gradient was not finite: nothing was changed
  };
  // Leaves the gradient zero, as it is at first, for the next backward pass to add to.
  // With g clipped to norm grad_clip, t counted from 1:
  //   m = b1 m + (1 - b1) g;  v = b2 v + (1 - b2) g^2
  //   p = p - lr (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) - lr weight_decay p
  //   ema = d ema + (1 - d) p, d = ema_decay, but 0 at the very first update (paper.md section 4,
  //   as the official code does)
  Step step(double lr);

  // The tensors are the optimizer's own, not copies.
  const OptimizerState& state() const { return state_; }
  const Tensor& gradient() const { return gradient_; }
  // Copies the values; shapes must agree (ConfigError).
  void restore(const OptimizerState& state);

  // The EMA under the parameters' names, or the parameters where there is none: the weights that a
  // model ships with.
  std::vector<NamedTensor> averaged() const;

 private:
  Network& network_;
  OptimizerOptions options_;
  OptimizerState state_;
  Tensor gradient_;
  std::vector<NamedTensor> parameters_;  // views of state_.parameters
};

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_OPTIMIZER_H_
