#include "halfstep/train/diffused_batch.h"

#include <ATen/Functions.h>

#include "halfstep/core/random.h"
#include "halfstep/core/to_device.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/nn/keyed_draws.h"

namespace halfstep {
namespace {

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

// Returns whether the example is trained without its label and what is known of its image.
bool drops_condition(const BatchPlan& plan, uint64_t update, int64_t example) {
  return plan.label_dropout > 0.0 &&
         uniform(key_of(plan, Purpose::label_dropout, update, example)) < plan.label_dropout;
}

Tensor labels_of(const data::ExampleBatch& examples, int64_t first, int64_t count,
                 const BatchPlan& plan) {
  Tensor labels = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  int64_t* values = labels.data_ptr<int64_t>();
  for (int64_t e = 0; e < count; ++e) {
    values[e] = drops_condition(plan, examples.update, examples.first + first + e)
                    ? kNullLabel
                    : examples.labels[static_cast<size_t>(first + e)];
  }
  return labels;
}

// Returns the image that the network is given of each example: zeros where it is dropped.
Tensor condition_of(const Tensor& pixels, int64_t example, uint64_t update, const BatchPlan& plan) {
  std::vector<RandomKey> keys;
  for (int64_t e = 0; e < pixels.size(0); ++e)
    keys.push_back(key_of(plan, Purpose::mask, update, example + e));
  const Tensor image = condition_tensor(plan.condition, known_of(plan.condition, pixels, keys));
  if (plan.label_dropout == 0.0) return image;
  Tensor kept = at::empty({pixels.size(0), 1, 1, 1}, at::TensorOptions().dtype(at::kFloat));
  for (int64_t e = 0; e < pixels.size(0); ++e)
    kept.data_ptr<float>()[e] = drops_condition(plan, update, example + e) ? 0.0F : 1.0F;
  return image * to_device(kept, image.device());
}

// Draws the guidance weight of each example: float32 [count].
Tensor guidance_of(int64_t example, int64_t count, uint64_t update, const BatchPlan& plan) {
  const auto& [min, max] = *plan.guidance;
  Tensor w = at::empty({count}, at::TensorOptions().dtype(at::kFloat));
  for (int64_t e = 0; e < count; ++e) {
    const double u = uniform(key_of(plan, Purpose::guidance, update, example + e));
    w.data_ptr<float>()[e] = static_cast<float>(min + (max - min) * u);
  }
  return w;
}

// Returns the examples as they are in the data set: uint8 for images, float32 for other data.
Tensor values_of(const data::ExampleBatch& examples, int64_t first, int64_t count,
                 const BatchPlan& plan, const at::Device& device) {
  const std::vector<int64_t> shape = batch_shape(count, plan);
  const auto bytes = static_cast<int64_t>(examples.bytes.size()) / examples.count;
  // from_blob takes a pointer to non-const; the view is only read.
  auto* begin = const_cast<uint8_t*>(examples.bytes.data()) + first * bytes;
  const at::ScalarType type = examples.dtype == io::DType::f32 ? at::kFloat : at::kByte;
  const Tensor view = at::from_blob(begin, shape, at::TensorOptions().dtype(type));
  return device.is_cpu() ? view.clone() : to_device(view, device);
}

std::vector<RandomKey> time_keys(int64_t example, int64_t count, uint64_t update,
                                 const BatchPlan& plan) {
  std::vector<RandomKey> keys;
  keys.reserve(static_cast<size_t>(count));
  for (int64_t e = 0; e < count; ++e)
    keys.push_back(key_of(plan, Purpose::time, update, example + e));
  return keys;
}

// Moves the numbers of each example, which are drawn on the host, to the device in one copy. All of
// them are exact in float64.
void move_numbers(Batch& batch, const at::Device& device) {
  if (device.is_cpu()) return;
  std::vector<Tensor*> numbers = {&batch.angles.phi_t, &batch.angles.phi_s, &batch.condition.labels,
                                  &batch.condition.guidance};
  for (Tensor& phi_m : batch.angles.phi_m) numbers.push_back(&phi_m);
  std::erase_if(numbers, [](const Tensor* tensor) { return !tensor->defined(); });
  std::vector<Tensor> rows;
  rows.reserve(numbers.size());
  for (const Tensor* tensor : numbers) rows.push_back(tensor->to(at::kDouble));
  const Tensor moved = to_device(at::stack(rows), device);
  for (size_t i = 0; i < numbers.size(); ++i)
    *numbers[i] = moved[static_cast<int64_t>(i)].to(numbers[i]->scalar_type());
}

}  // namespace

BatchPlan batch_plan(const ModelSpec& spec, const UpdateOptions& options) {
  BatchPlan plan{.shape = input_shape(spec.network),
                 .conditional = num_classes(spec.network) > 1,
                 .label_dropout = options.label_dropout.value_or(0.0),
                 .condition = spec.condition,
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
  const Tensor values = values_of(examples, first, count, plan, device);
  batch.x = values.scalar_type() == at::kByte ? from_uint8(values) : values;
  batch.eps = keyed_normal(key_of(plan, Purpose::noise, examples.update, example),
                           batch_shape(count, plan), device);
  batch.angles = draw_angles(time_keys(example, count, examples.update, plan));
  if (plan.conditional) batch.condition.labels = labels_of(examples, first, count, plan);
  if (plan.guidance) batch.condition.guidance = guidance_of(example, count, examples.update, plan);
  if (plan.condition.is_on()) {
    batch.condition.tensors[kConditionImage] = condition_of(values, example, examples.update, plan);
  }
  move_numbers(batch, device);
  batch.z = diffuse(batch.x, batch.eps, batch.angles.phi_t);
  return batch;
}

Tensor step_noise(const data::ExampleBatch& examples, int64_t first, int64_t count,
                  const BatchPlan& plan, const at::Device& device) {
  return keyed_normal(
      key_of(plan, Purpose::posterior_noise, examples.update, examples.first + first),
      batch_shape(count, plan), device);
}

ForwardOptions forward_options(const data::ExampleBatch& examples, int64_t first,
                               const BatchPlan& plan) {
  if (!plan.dropout) return {};
  return {.dropout = DropoutKey{.seed = plan.seed,
                                .update = examples.update,
                                .first_example = static_cast<uint32_t>(examples.first + first)}};
}

}  // namespace halfstep
