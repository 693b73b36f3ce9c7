// One update, training and distillation alike:
//
//   images x -> (t, eps) -> z = cos(phi) x + sin(phi) eps -> target -> student -> weighted loss ->
//   clip -> Adam -> EMA
//
// Only the target differs: the data (Algorithm 1) or where the teacher's steps lead (Algorithm 2).
#ifndef HALFSTEP_TRAIN_UPDATE_H_
#define HALFSTEP_TRAIN_UPDATE_H_

#include <cstdint>
#include <vector>

#include "halfstep/data/loader.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/diffusion/target.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/model/model.h"
#include "halfstep/nn/network.h"
#include "halfstep/parallel/gradient_reducer.h"
#include "halfstep/train/optimizer.h"
#include "halfstep/train/options.h"

namespace halfstep {

// What stays the same over a stage.
struct UpdatePlan {
  Schedule schedule;
  Output output = Output::v;
  Weighting weighting = Weighting::snr_trunc;
  std::vector<int64_t> shape = {3, 32, 32};  // of an example
  int64_t num_steps = 0;  // t = (i + 1) / num_steps, i uniform; 0: t uniform in (0, 1]
  int64_t substeps = 2;   // of the teacher in a step of the student
  bool conditional = false;
  double label_dropout = 0.0;
  bool dropout = false;    // the network's own rate
  int64_t microbatch = 0;  // images a network call; 0: all
  uint64_t seed = 0;
};

// The plan of a model's updates; num_steps 0: training from data. Only then the network drops out.
UpdatePlan plan_update(const ModelSpec& spec, const UpdateOptions& options, int64_t num_steps,
                       int64_t substeps = 2);
OptimizerOptions optimizer_options(const UpdateOptions& options);

// Examples [first, first + count) of these, diffused: x is pixel / 127.5 - 1, or the numbers as
// they are where the data are no images. Time, noise and dropped labels are functions of (seed,
// images.update, number of the example in the update).
Batch diffuse_images(const data::ExampleBatch& images, int64_t first, int64_t count,
                     const UpdatePlan& plan, const at::Device& device);

struct UpdateReport {
  double loss = 0.0;       // mean over the batch
  double grad_norm = 0.0;  // before clipping
  bool skipped = false;    // loss or gradient was not finite: nothing was changed
};

// With a reducer the images are this process's share of the update's, and the others update their
// students at the same time: gradient, loss and all that follows are those of the whole batch. Each
// term is divided by the whole batch before it is added, so that shares are added like
// microbatches.
UpdateReport update(const Network& student, const Target& target, Optimizer& optimizer,
                    const data::ExampleBatch& images, const UpdatePlan& plan, double lr,
                    GradientReducer* reducer = nullptr);

}  // namespace halfstep

#endif  // HALFSTEP_TRAIN_UPDATE_H_
