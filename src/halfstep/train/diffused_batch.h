// Examples of a data set as the diffused batch of an update.
#ifndef HALFSTEP_TRAIN_DIFFUSED_BATCH_H_
#define HALFSTEP_TRAIN_DIFFUSED_BATCH_H_

#include <cstdint>
#include <vector>

#include "halfstep/data/loader.h"
#include "halfstep/nn/network.h"
#include "halfstep/objective/objective.h"

namespace halfstep {

// What stays the same over a stage.
struct BatchPlan {
  std::vector<int64_t> shape = {3, 32, 32};  // of an example
  bool conditional = false;                  // the network takes labels
  double label_dropout = 0.0;                // fraction of labels replaced by the null label
  bool dropout = false;                      // the network drops activations, at its own rate
  uint64_t seed = 0;
};

// Returns examples [first, first + count) of `examples`, diffused, on `device`: x = pixel / 127.5 -
// 1 for images, the numbers themselves for other data; eps ~ N(0, 1); angles by the objective;
// z = cos(phi_t) x + sin(phi_t) eps. Noise, angles and dropped labels are functions of (seed,
// update, number of the example in the update), so that microbatches and shards make up the batch.
Batch diffuse_examples(const data::ExampleBatch& examples, int64_t first, int64_t count,
                       const Objective& objective, const BatchPlan& plan, const at::Device& device);

// Returns the options of the student's forward call on the same examples: their dropout masks if
// the plan has dropout.
ForwardOptions forward_options(const data::ExampleBatch& examples, int64_t first,
                               const BatchPlan& plan);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DIFFUSED_BATCH_H_
