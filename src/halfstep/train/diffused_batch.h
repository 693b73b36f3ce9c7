// Examples of a data set as the diffused batch of an update.
#ifndef HALFSTEP_TRAIN_DIFFUSED_BATCH_H_
#define HALFSTEP_TRAIN_DIFFUSED_BATCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "halfstep/conditioning/image_condition.h"
#include "halfstep/data/loader.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/model/model.h"
#include "halfstep/nn/network.h"
#include "halfstep/objective/objective.h"
#include "halfstep/train/update_options.h"

namespace halfstep {

// What stays the same over a stage.
struct BatchPlan {
  std::vector<int64_t> shape = {3, 32, 32};  // of an example
  bool conditional = false;                  // the network takes labels
  double label_dropout = 0.0;                // fraction of examples without their condition
  std::optional<GuidanceRange> guidance;     // the network takes w, drawn uniformly from here
  ImageCondition condition;                  // what the network is given of the image
  bool dropout = false;                      // the network drops activations, at its own rate
  uint64_t seed = 0;
};

// Returns the plan of a model's updates, without dropout.
BatchPlan batch_plan(const ModelSpec& spec, const UpdateOptions& options);

// Draws the angles of a batch, one example per key.
using AngleDraw = std::function<StepAngles(const std::vector<RandomKey>& keys)>;

// Returns the draw of an objective, which must outlive it.
inline AngleDraw draws_of(const Objective& objective) {
  return [&](const std::vector<RandomKey>& keys) { return objective.draw_angles(keys); };
}

// Returns examples [first, first + count) of `examples`, diffused, on `device`: x = pixel / 127.5 -
// 1 for images, the numbers themselves for other data; eps ~ N(0, 1); angles as they are drawn;
// z = cos(phi_t) x + sin(phi_t) eps. Noise, angles, masks, dropped conditions and guidance are
// functions of (seed, update, number of the example in the update), so that microbatches and shards
// make up the batch.
Batch diffuse_examples(const data::ExampleBatch& examples, int64_t first, int64_t count,
                       const AngleDraw& draw_angles, const BatchPlan& plan,
                       const at::Device& device);

// Draws N(0, 1) noise of the shape of the same examples, on `device`, for a step from z_t to z_s:
// independent of that in z_t, and a function of the same numbers.
Tensor step_noise(const data::ExampleBatch& examples, int64_t first, int64_t count,
                  const BatchPlan& plan, const at::Device& device);

// Returns the options of the student's forward call on the same examples: their dropout masks if
// the plan has dropout.
ForwardOptions forward_options(const data::ExampleBatch& examples, int64_t first,
                               const BatchPlan& plan);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DIFFUSED_BATCH_H_
