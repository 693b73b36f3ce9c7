#include "halfstep/train/divergence.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

#include "halfstep/model/model.h"

namespace halfstep {
namespace {

double mean_loss(const Network& network, const Prediction& goal, const Batch& batch,
                 const UpdatePlan& plan) {
  const Tensor raw = network.forward(batch.z, batch.phi_t, batch.condition);
  return weighted_loss(plan.output, plan.weighting, raw, goal, batch.phi_t).mean().item<double>();
}

}  // namespace

StageLosses stage_losses(const Network& teacher, const Network& begun, const Network& ended,
                         const UpdatePlan& plan, const data::Dataset& dataset,
                         const data::LoaderOptions& images, int64_t batches) {
  const at::NoGradGuard no_grad;
  const at::Device device = teacher.parameters().front().tensor.device();
  const TeacherTarget target(make_denoiser(teacher, plan.output));
  StageLosses losses;
  for (int64_t b = 0; b < batches; ++b) {
    const data::ExampleBatch loaded =
        load_batch(dataset, images, images.first_update + static_cast<uint64_t>(b));
    const int64_t size = plan.microbatch > 0 ? plan.microbatch : loaded.count;
    for (int64_t first = 0; first < loaded.count; first += size) {
      const int64_t count = std::min(size, loaded.count - first);
      const Batch batch = diffuse_images(loaded, first, count, plan, device);
      const Prediction goal = target.of(batch);
      const double share = static_cast<double>(count) / static_cast<double>(loaded.count * batches);
      losses.begun += share * mean_loss(begun, goal, batch, plan);
      losses.ended += share * mean_loss(ended, goal, batch, plan);
    }
  }
  return losses;
}

}  // namespace halfstep
