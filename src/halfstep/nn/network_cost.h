// The cost of a forward call, counted from a network's options without building it.
#ifndef HALFSTEP_NN_NETWORK_COST_H_
#define HALFSTEP_NN_NETWORK_COST_H_

#include <cstdint>

#include "halfstep/nn/network_options.h"

namespace halfstep {

struct NetworkCost {
  // Per image: two for each multiply-add of convolutions, dense layers and attention.
  double flops = 0.0;
  // Per image: roughly, the numbers that the backward pass needs.
  double activations = 0.0;
};

// The work of a training update in forward calls: one forward pass and a backward pass that costs
// two. In distillation, each step of the teacher adds one.
inline constexpr double kForwardsOfTraining = 3.0;

// Returns the cost of the network; both numbers are 0 for code, whose cost is unknown.
NetworkCost network_cost(const NetworkOptions& network);

}  // namespace halfstep

#endif  // HALFSTEP_NN_NETWORK_COST_H_
