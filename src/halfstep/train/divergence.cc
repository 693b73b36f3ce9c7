#include "halfstep/train/divergence.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace halfstep {

StageLosses stage_losses(const Objective& objective, const Network& initial, const Network& trained,
                         const BatchPlan& plan, int64_t microbatch, const data::Dataset& dataset,
                         const data::LoaderOptions& loader, int64_t batches) {
  const at::NoGradGuard no_grad;
  const at::Device device = trained.parameters().front().tensor.device();
  StageLosses losses;
  for (int64_t b = 0; b < batches; ++b) {
    const UpdateExamples loaded =
        load_batch(dataset, loader, loader.first_update + static_cast<uint64_t>(b));
    const int64_t size = microbatch > 0 ? microbatch : loaded.count;
    for (int64_t first = 0; first < loaded.count; first += size) {
      const int64_t count = std::min(size, loaded.count - first);
      const Batch batch = diffuse_examples(loaded, first, count, draws_of(objective), plan, device);
      const Prediction target = objective.target(batch);
      const auto mean_loss = [&](const Network& network) {
        const Tensor raw = network.forward(batch.z, batch.angles.phi_t, batch.condition);
        return objective.loss(raw, target, batch).mean().item<double>();
      };
      const double weight =
          static_cast<double>(count) / static_cast<double>(loaded.count * batches);
      losses.initial += weight * mean_loss(initial);
      losses.trained += weight * mean_loss(trained);
    }
  }
  return losses;
}

}  // namespace halfstep
