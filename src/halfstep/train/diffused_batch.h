// Examples of a data set as the diffused batch of an update.
#ifndef HALFSTEP_TRAIN_DIFFUSED_BATCH_H_
#define HALFSTEP_TRAIN_DIFFUSED_BATCH_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "halfstep/conditioning/image_condition.h"
#include "halfstep/device/device_graph.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/model/model.h"
#include "halfstep/nn/keyed_draws.h"
#include "halfstep/nn/network.h"
#include "halfstep/objective/objective.h"
#include "halfstep/train/update_options.h"
#include "halfstep/train/uploading_loader.h"

namespace halfstep {

// What stays the same over a stage.
struct BatchPlan {
  std::vector<int64_t> shape = {3, 32, 32};  // of an example
  bool conditional = false;                  // the network takes labels
  double label_dropout = 0.0;                // fraction of examples without their condition
  std::optional<GuidanceRange> guidance;     // the network takes w, drawn uniformly from here
  ImageCondition condition;                  // what the network is given of the image
  // Where the network drops activations, at its own rate; empty: it drops none.
  std::vector<uint32_t> dropout_sites = {};
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

// What an update takes of `count` examples. Everything that differs between two updates is here, so
// that a device can run the rest as one graph (device/device_graph.h).
struct BatchDraws {
  Tensor values;        // [B, ...], as in the data set: uint8 for images, float32 for other data
  StepAngles angles;    // as they are drawn
  Condition condition;  // where labels and image are dropped, the null label and zeros
  BatchKey noise;       // of eps
  BatchKey step_noise;  // of a step from z_t to z_s, which is independent of eps
  std::optional<DropoutKey> dropout;  // none: the network drops nothing
};

// Returns those of examples [first, first + count) of `examples`. All are functions of (seed,
// update, number of the example in the update), so that microbatches and shards make up the batch.
// `values` and the image of `condition` are on `device`, the rest is on the CPU.
BatchDraws draw_batch(const UpdateExamples& examples, int64_t first, int64_t count,
                      const AngleDraw& draw_angles, const BatchPlan& plan,
                      const at::Device& device);

// Moves draws to a device as few tensors, which are the inputs of a graph: one copy for all that is
// on the CPU.
std::vector<Tensor> packed(const BatchDraws& draws, const at::Device& device);
// Returns the draws that were packed; `draws` tells which of them there are.
BatchDraws unpacked(const std::vector<Tensor>& inputs, const BatchDraws& draws);

// Returns the batch on the device of the draws: x = pixel / 127.5 - 1 for images, the numbers
// themselves for other data; eps ~ N(0, 1); z = cos(phi_t) x + sin(phi_t) eps.
Batch diffuse(const BatchDraws& draws);

// Returns the diffused examples [first, first + count) of `examples` on `device`.
Batch diffuse_examples(const UpdateExamples& examples, int64_t first, int64_t count,
                       const AngleDraw& draw_angles, const BatchPlan& plan,
                       const at::Device& device);

// Computes a number, such as a loss, from draws on `device`: on the CPU directly, elsewhere by
// `graph`. `compute` must do the same work in every call, as a graph does.
Tensor compute_on(const at::Device& device, DeviceGraph& graph, const BatchDraws& draws,
                  const std::function<Tensor(const BatchDraws& draws)>& compute);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_DIFFUSED_BATCH_H_
