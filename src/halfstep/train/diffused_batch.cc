#include "halfstep/train/diffused_batch.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "halfstep/core/random.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/sample.h"

namespace halfstep {
namespace {

const at::TensorOptions kFloatCpu = at::TensorOptions().dtype(at::kFloat);

RandomKey key_of(const BatchPlan& plan, Purpose purpose, uint64_t update, int64_t example) {
  return {.seed = plan.seed,
          .purpose = purpose,
          .index = update,
          .example = static_cast<uint32_t>(example)};
}

std::vector<int64_t> batch_shape(int64_t count, const BatchPlan& plan) {
  std::vector<int64_t> shape = plan.shape;
  shape.insert(shape.begin(), count);
  return shape;
}

// `example`: the number of the first example in the update.
Tensor normal(int64_t example, int64_t count, uint64_t update, Purpose purpose,
              const BatchPlan& plan) {
  Tensor eps = at::empty(batch_shape(count, plan), kFloatCpu);
  float* values = eps.data_ptr<float>();
  const int64_t elements = eps.numel() / eps.size(0);
  at::parallel_for(0, eps.size(0), 1, [&](int64_t begin, int64_t end) {
    for (int64_t e = begin; e < end; ++e) {
      fill_normal(key_of(plan, purpose, update, example + e),
                  {values + e * elements, static_cast<size_t>(elements)});
    }
  });
  return eps;
}

Tensor labels_of(const data::ExampleBatch& examples, int64_t first, int64_t count,
                 const BatchPlan& plan) {
  Tensor labels = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  int64_t* values = labels.data_ptr<int64_t>();
  for (int64_t e = 0; e < count; ++e) {
    const bool drop = plan.label_dropout > 0.0 &&
                      uniform(key_of(plan, Purpose::label_dropout, examples.update,
                                     examples.first + first + e)) < plan.label_dropout;
    values[e] = drop ? kNullLabel : examples.labels[static_cast<size_t>(first + e)];
  }
  return labels;
}

// Draws the guidance weight of each example: float32 [count].
Tensor guidance_of(int64_t example, int64_t count, uint64_t update, const BatchPlan& plan) {
  const auto& [min, max] = *plan.guidance;
  Tensor w = at::empty({count}, kFloatCpu);
  for (int64_t e = 0; e < count; ++e) {
    const double u = uniform(key_of(plan, Purpose::guidance, update, example + e));
    w.data_ptr<float>()[e] = static_cast<float>(min + (max - min) * u);
  }
  return w;
}

Tensor x_of(const data::ExampleBatch& examples, int64_t first, int64_t count,
            const BatchPlan& plan) {
  const std::vector<int64_t> shape = batch_shape(count, plan);
  const auto bytes = static_cast<int64_t>(examples.bytes.size()) / examples.count;
  // from_blob takes a pointer to non-const; the view is only read.
  auto* begin = const_cast<uint8_t*>(examples.bytes.data()) + first * bytes;
  const auto view = [&](at::ScalarType type) {
    return at::from_blob(begin, shape, at::TensorOptions().dtype(type));
  };
  return examples.dtype == io::DType::f32 ? view(at::kFloat).clone() : from_uint8(view(at::kByte));
}

std::vector<RandomKey> time_keys(int64_t example, int64_t count, uint64_t update,
                                 const BatchPlan& plan) {
  std::vector<RandomKey> keys;
  keys.reserve(static_cast<size_t>(count));
  for (int64_t e = 0; e < count; ++e)
    keys.push_back(key_of(plan, Purpose::time, update, example + e));
  return keys;
}

}  // namespace

BatchPlan batch_plan(const ModelSpec& spec, const UpdateOptions& options) {
  BatchPlan plan{.shape = input_shape(spec.network),
                 .conditional = num_classes(spec.network) > 1,
                 .label_dropout = options.label_dropout.value_or(0.0),
                 .seed = options.seed};
  if (guidance_channels(spec.network) > 0)
    plan.guidance = {.min = *spec.sampling.guidance_min, .max = *spec.sampling.guidance_max};
  return plan;
}

Batch diffuse_examples(const data::ExampleBatch& examples, int64_t first, int64_t count,
                       const AngleDraw& draw_angles, const BatchPlan& plan,
                       const at::Device& device) {
  const int64_t example = examples.first + first;
  Batch batch;
  batch.x = x_of(examples, first, count, plan).to(device);
  batch.eps = normal(example, count, examples.update, Purpose::noise, plan).to(device);
  batch.angles = draw_angles(time_keys(example, count, examples.update, plan));
  batch.z = diffuse(batch.x, batch.eps, batch.angles.phi_t);
  if (plan.conditional) batch.condition.labels = labels_of(examples, first, count, plan);
  if (plan.guidance) batch.condition.guidance = guidance_of(example, count, examples.update, plan);
  return batch;
}

Tensor step_noise(const data::ExampleBatch& examples, int64_t first, int64_t count,
                  const BatchPlan& plan) {
  return normal(examples.first + first, count, examples.update, Purpose::posterior_noise, plan);
}

ForwardOptions forward_options(const data::ExampleBatch& examples, int64_t first,
                               const BatchPlan& plan) {
  if (!plan.dropout) return {};
  return {.dropout = DropoutKey{.seed = plan.seed,
                                .update = examples.update,
                                .first_example = static_cast<uint32_t>(examples.first + first)}};
}

}  // namespace halfstep
