#include "halfstep/train/update.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <vector>

#include "halfstep/core/random.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/sample.h"

namespace halfstep {
namespace {

const at::TensorOptions kFloatCpu = at::TensorOptions().dtype(at::kFloat);

RandomKey key_of(const UpdatePlan& plan, Purpose purpose, uint64_t update, int64_t example) {
  return {.seed = plan.seed,
          .purpose = purpose,
          .index = update,
          .example = static_cast<uint32_t>(example)};
}

// `example`: the number of the first image in the update.
Tensor noise_like(const Tensor& x, int64_t example, uint64_t update, const UpdatePlan& plan) {
  Tensor eps = at::empty(x.sizes(), kFloatCpu);
  float* values = eps.data_ptr<float>();
  const int64_t elements = eps.numel() / eps.size(0);
  at::parallel_for(0, eps.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      fill_normal(key_of(plan, Purpose::noise, update, example + e),
                  {values + e * elements, static_cast<size_t>(elements)});
    }
  });
  return eps;
}

Tensor labels_of(const data::ExampleBatch& images, int64_t first, int64_t count,
                 const UpdatePlan& plan) {
  Tensor labels = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  int64_t* values = labels.data_ptr<int64_t>();
  for (int64_t e = 0; e < count; ++e) {
    const bool drop =
        plan.label_dropout > 0.0 && uniform(key_of(plan, Purpose::label_dropout, images.update,
                                                   images.first + first + e)) < plan.label_dropout;
    values[e] = drop ? kNullLabel : images.labels[static_cast<size_t>(first + e)];
  }
  return labels;
}

Tensor examples_of(const data::ExampleBatch& images, int64_t first, int64_t count,
                   const UpdatePlan& plan) {
  std::vector<int64_t> shape = plan.shape;
  shape.insert(shape.begin(), count);
  const auto bytes = static_cast<int64_t>(images.bytes.size()) / images.count;
  // from_blob only reads
  auto* begin = const_cast<uint8_t*>(images.bytes.data()) + first * bytes;
  const auto view = [&](at::ScalarType type) {
    return at::from_blob(begin, shape, at::TensorOptions().dtype(type));
  };
  return images.dtype == io::DType::f32 ? view(at::kFloat).clone() : from_uint8(view(at::kByte));
}

void set_angles(Batch& batch, int64_t example, int64_t count, uint64_t update,
                const UpdatePlan& plan) {
  Tensor draw = at::empty({count}, at::TensorOptions().dtype(at::kDouble));
  double* values = draw.data_ptr<double>();
  for (int64_t e = 0; e < count; ++e) {
    const RandomKey key = key_of(plan, Purpose::time, update, example + e);
    values[e] = plan.num_steps == 0
                    ? uniform(key)
                    : static_cast<double>(uniform_int(key, static_cast<uint64_t>(plan.num_steps)));
  }
  if (plan.num_steps == 0) {
    batch.phi_t = plan.schedule.phi(draw);
    return;
  }
  const StepAngles angles = step_angles(plan.schedule, draw, plan.num_steps, plan.substeps);
  batch.phi_t = angles.phi_t;
  batch.phi_m = angles.phi_m;
  batch.phi_s = angles.phi_s;
}

}  // namespace

UpdatePlan plan_update(const ModelSpec& spec, const UpdateOptions& options, int64_t num_steps,
                       int64_t substeps) {
  return {.schedule = Schedule(spec.schedule),
          .output = spec.output,
          .weighting = options.weighting,
          .shape = input_shape(spec.network),
          .num_steps = num_steps,
          .substeps = substeps,
          .conditional = num_classes(spec.network) > 1,
          .label_dropout = options.label_dropout.value_or(0.0),
          .dropout = num_steps == 0 && has_dropout(spec.network),
          .microbatch = options.microbatch,
          .seed = options.seed};
}

OptimizerOptions optimizer_options(const UpdateOptions& options) {
  return {.weight_decay = options.weight_decay,
          .grad_clip = options.grad_clip,
          .ema_decay = options.ema_decay};
}

Batch diffuse_images(const data::ExampleBatch& images, int64_t first, int64_t count,
                     const UpdatePlan& plan, const at::Device& device) {
  const int64_t example = images.first + first;
  Batch batch;
  batch.x = examples_of(images, first, count, plan).to(device);
  batch.eps = noise_like(batch.x, example, images.update, plan).to(device);
  set_angles(batch, example, count, images.update, plan);
  batch.z = diffuse(batch.x, batch.eps, batch.phi_t);
  if (plan.conditional) batch.condition.labels = labels_of(images, first, count, plan);
  if (plan.dropout) {
    batch.condition.dropout = DropoutKey{.seed = plan.seed,
                                         .update = images.update,
                                         .first_example = static_cast<uint32_t>(example)};
  }
  return batch;
}

UpdateReport update(const Network& student, const Target& target, Optimizer& optimizer,
                    const data::ExampleBatch& images, const UpdatePlan& plan, double lr,
                    GradientReducer* reducer) {
  const at::Device device = student.parameters().front().tensor.device();
  const int64_t microbatch = plan.microbatch > 0 ? plan.microbatch : images.count;
  UpdateReport report;
  for (int64_t first = 0; first < images.count; first += microbatch) {
    const int64_t count = std::min(microbatch, images.count - first);
    const Batch batch = diffuse_images(images, first, count, plan, device);
    const Prediction goal = target.of(batch);
    const Tensor raw = student.forward(batch.z, batch.phi_t, batch.condition);
    const Tensor loss = weighted_loss(plan.output, plan.weighting, raw, goal, batch.phi_t).sum() /
                        static_cast<double>(images.batch_size);
    if (reducer != nullptr && first + count == images.count) reducer->begin();
    loss.backward();
    report.loss += loss.item<double>();
  }
  if (reducer != nullptr) report.loss = reducer->finish(report.loss);
  const Optimizer::Step step = optimizer.step(lr);
  report.grad_norm = step.grad_norm;
  report.skipped = step.skipped;
  return report;
}

}  // namespace halfstep
