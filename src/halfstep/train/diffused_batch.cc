#include "halfstep/train/diffused_batch.h"

#include <ATen/Functions.h>

#include "halfstep/core/random.h"
#include "halfstep/device/to_device.h"
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
Tensor values_of(const UpdateExamples& examples, int64_t first, int64_t count,
                 const BatchPlan& plan, const at::Device& device) {
  const bool uploaded = examples.values.defined();
  const Tensor all = uploaded ? examples.values : host_values(examples);
  const Tensor values = all.view(batch_shape(examples.count, plan)).narrow(0, first, count);
  if (uploaded) return values;
  return device.is_cpu() ? values.clone() : to_device(values, device);
}

std::vector<RandomKey> time_keys(int64_t example, int64_t count, uint64_t update,
                                 const BatchPlan& plan) {
  std::vector<RandomKey> keys;
  keys.reserve(static_cast<size_t>(count));
  for (int64_t e = 0; e < count; ++e)
    keys.push_back(key_of(plan, Purpose::time, update, example + e));
  return keys;
}

BatchKey batch_key(const RandomKey& first, const at::Device& device) {
  return {.first = first, .words = device.is_cpu() ? Tensor() : key_words(first)};
}

std::optional<DropoutKey> dropout_of(const BatchPlan& plan, uint64_t update, int64_t example,
                                     const at::Device& device) {
  if (plan.dropout_sites.empty()) return std::nullopt;
  DropoutKey key{
      .seed = plan.seed, .update = update, .first_example = static_cast<uint32_t>(example)};
  if (!device.is_cpu()) {
    for (const uint32_t site : plan.dropout_sites)
      key.words.emplace(site, key_words(key_of(key, site)));
  }
  return key;
}

// Returns the tensors of draws that are drawn on the CPU. All their numbers are exact in float64.
std::vector<Tensor*> numbers_of(BatchDraws& draws) {
  std::vector<Tensor*> numbers = {&draws.angles.phi_t,     &draws.angles.phi_s,
                                  &draws.condition.labels, &draws.condition.guidance,
                                  &draws.noise.words,      &draws.step_noise.words};
  for (Tensor& phi_m : draws.angles.phi_m) numbers.push_back(&phi_m);
  if (draws.dropout) {
    for (auto& [site, words] : draws.dropout->words) numbers.push_back(&words);
  }
  std::erase_if(numbers, [](const Tensor* tensor) { return !tensor->defined(); });
  return numbers;
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

BatchDraws draw_batch(const UpdateExamples& examples, int64_t first, int64_t count,
                      const AngleDraw& draw_angles, const BatchPlan& plan,
                      const at::Device& device) {
  const int64_t example = examples.first + first;
  const auto key = [&](Purpose purpose) {
    return batch_key(key_of(plan, purpose, examples.update, example), device);
  };
  BatchDraws draws{.values = values_of(examples, first, count, plan, device),
                   .angles = draw_angles(time_keys(example, count, examples.update, plan)),
                   .condition = {},
                   .noise = key(Purpose::noise),
                   .step_noise = key(Purpose::posterior_noise),
                   .dropout = dropout_of(plan, examples.update, example, device)};
  Condition& condition = draws.condition;
  if (plan.conditional) condition.labels = labels_of(examples, first, count, plan);
  if (plan.guidance) condition.guidance = guidance_of(example, count, examples.update, plan);
  if (plan.condition.is_on())
    condition.tensors[kConditionImage] = condition_of(draws.values, example, examples.update, plan);
  return draws;
}

std::vector<Tensor> packed(const BatchDraws& draws, const at::Device& device) {
  BatchDraws copy = draws;
  std::vector<Tensor> numbers;
  for (const Tensor* tensor : numbers_of(copy))
    numbers.push_back(tensor->to(at::kDouble).flatten());
  std::vector<Tensor> inputs = {draws.values, to_device(at::cat(numbers), device)};
  for (const auto& [name, tensor] : draws.condition.tensors) inputs.push_back(tensor);
  return inputs;
}

BatchDraws unpacked(const std::vector<Tensor>& inputs, const BatchDraws& draws) {
  BatchDraws result = draws;
  result.values = inputs[0];
  int64_t begin = 0;
  for (Tensor* tensor : numbers_of(result)) {
    const int64_t count = tensor->numel();
    *tensor = inputs[1].narrow(0, begin, count).view(tensor->sizes()).to(tensor->scalar_type());
    begin += count;
  }
  size_t next = 2;
  for (auto& [name, tensor] : result.condition.tensors) tensor = inputs[next++];
  return result;
}

Batch diffuse(const BatchDraws& draws) {
  const Tensor& values = draws.values;
  Batch batch{.x = values.scalar_type() == at::kByte ? from_uint8(values) : values,
              .eps = keyed_normal(draws.noise, values.sizes(), values.device()),
              .z = {},
              .angles = draws.angles,
              .condition = draws.condition};
  batch.z = diffuse(batch.x, batch.eps, batch.angles.phi_t);
  return batch;
}

Batch diffuse_examples(const UpdateExamples& examples, int64_t first, int64_t count,
                       const AngleDraw& draw_angles, const BatchPlan& plan,
                       const at::Device& device) {
  const BatchDraws draws = draw_batch(examples, first, count, draw_angles, plan, device);
  return diffuse(device.is_cpu() ? draws : unpacked(packed(draws, device), draws));
}

Tensor compute_on(const at::Device& device, DeviceGraph& graph, const BatchDraws& draws,
                  const std::function<Tensor(const BatchDraws& draws)>& compute) {
  if (device.is_cpu()) return compute(draws);
  const std::vector<Tensor> results =
      graph.run(packed(draws, device), [&](const std::vector<Tensor>& inputs) {
        return std::vector<Tensor>{compute(unpacked(inputs, draws))};
      });
  return results.front();
}

}  // namespace halfstep
