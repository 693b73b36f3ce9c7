// What a forward call of a network costs, counted from its options without building it. Of a
// TorchScript network nothing is known: both numbers are 0.
#ifndef HALFSTEP_NN_NETWORK_COST_H_
#define HALFSTEP_NN_NETWORK_COST_H_

#include <cstdint>

#include "halfstep/nn/network_options.h"

namespace halfstep {

struct NetworkCost {
  double flops =
      0.0;  // of one image: two for each multiply-add of convolutions, dense layers and attention
  double activations = 0.0;  // numbers that a backward call of one image needs, about
};

// Forward calls' worth of work in an update: its own, its backward, which is two. While distilling
// each of the teacher's steps is one more.
inline constexpr double kForwardsOfTraining = 3.0;

NetworkCost network_cost(const NetworkOptions& network);

}  // namespace halfstep

#endif  // HALFSTEP_NN_NETWORK_COST_H_
