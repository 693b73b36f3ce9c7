#include "halfstep/model/draw.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/model/generate_parts.h"

namespace halfstep {
namespace {

struct Stopped {};  // on_step ended the batch

// The batch as generate() would draw it: seeds and what the network is conditioned on.
struct Batch {
  std::vector<uint64_t> seeds;
  std::vector<int64_t> shape;  // of an example
  Condition condition;
  KnownImages known;
  bool guides = false;  // by two calls
};

// Returns what is known of all images.
KnownImages together(const std::vector<Draw>& examples) {
  std::vector<Tensor> pixels, masks;
  for (const Draw& example : examples) {
    if (example.known.pixels.defined()) pixels.push_back(example.known.pixels);
    if (example.known.mask.defined()) masks.push_back(example.known.mask);
  }
  return {.pixels = pixels.empty() ? Tensor() : at::cat(pixels),
          .mask = masks.empty() ? Tensor() : at::cat(masks)};
}

Batch batch_of(const ModelSpec& spec, const std::vector<Draw>& examples, GenerateOptions options) {
  if (examples.empty()) throw ConfigError("draw", "expected an example, received none");
  const auto count = static_cast<int64_t>(examples.size());
  options.class_labels.clear();
  options.known = {};
  Batch batch;
  Tensor guidance = at::empty({count}, at::TensorOptions().dtype(at::kFloat));
  std::vector<Tensor> labels;
  for (int64_t i = 0; i < count; ++i) {
    const Draw& example = examples[static_cast<size_t>(i)];
    options.class_label = example.class_label;
    options.guidance = example.guidance;
    validate(options, spec);
    batch.seeds.push_back(example.seed);
    batch.guides = batch.guides || calls_per_prediction(options, spec) == 2;
    guidance[i] = guidance_of(options, spec);
    const Tensor label = labels_for(spec, options, {example.seed});
    if (label.defined()) labels.push_back(label);
  }
  if (!labels.empty()) batch.condition.labels = at::cat(labels);
  batch.known = together(examples);
  batch.shape = example_shape(spec, batch.known, batch.seeds.size());
  if (batch.known.defined())
    batch.condition.tensors[kConditionImage] = condition_tensor(spec.condition, batch.known);
  if (batch.guides || guidance_channels(spec.network) > 0) batch.condition.guidance = guidance;
  return batch;
}

// Calls `on_step` before the calls of the denoiser that begin a step.
Denoiser stepwise(const Denoiser& denoiser, Sampler sampler, const OnStep& on_step) {
  // Heun's method calls twice per step, except in the last.
  const int64_t calls = sampler == Sampler::heun ? 2 : 1;
  return [&denoiser, &on_step, calls, call = int64_t{0}](const Tensor& z, const Tensor& phi,
                                                         const Condition& condition) mutable {
    if (on_step && call % calls == 0 && !on_step(call / calls + 1)) throw Stopped();
    ++call;
    return denoiser(z, phi, condition);
  };
}

}  // namespace

std::optional<Samples> draw(const Model& model, const std::vector<Draw>& examples,
                            const GenerateOptions& options, const OnStep& on_step) {
  const c10::InferenceMode inference;
  const ModelSpec& spec = model.spec();
  const Batch batch = batch_of(spec, examples, options);
  const SampleOptions sampling = sample_options(options, spec);
  const std::vector<double> grid =
      sampling_grid(Schedule(spec.schedule), options.num_steps.value_or(spec.sampling.num_steps),
                    options.spacing);
  RawOutput raw = raw_output(model);
  if (batch.guides) raw = guided_by_condition(std::move(raw));
  const Denoiser denoiser =
      denoiser_for(make_denoiser(std::move(raw), spec.output), spec, batch.shape);
  FiniteCheck check;
  const Denoiser watched = check.watch(denoiser);
  const NoiseAt noise_at = [&](int64_t step) {
    return normal_of_seeds(batch.shape, batch.seeds, Purpose::step_noise,
                           static_cast<uint32_t>(step))
        .to(model.device());
  };
  try {
    Condition condition = batch.condition;
    for (Tensor* tensor : {&condition.labels, &condition.guidance})
      if (tensor->defined()) *tensor = tensor->to(model.device());
    for (auto& [name, tensor] : condition.tensors) tensor = tensor.to(model.device());
    const Tensor noise = normal_of_seeds(batch.shape, batch.seeds, Purpose::sample_noise, 0);
    const Tensor x = sample(stepwise(watched, sampling.sampler, on_step), noise.to(model.device()),
                            grid, condition, sampling, noise_at);
    check.require_finite(batch.seeds);
    const Tensor images =
        is_image(spec.network) ? with_known_pixels(to_uint8(x).cpu(), batch.known) : x.cpu();
    return Samples{.images = images, .labels = batch.condition.labels};
  } catch (const Stopped&) {
    return std::nullopt;
  }
}

}  // namespace halfstep
