#include "halfstep/model/generate.h"

#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/random.h"
#include "halfstep/core/shape.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/model/generate_parts.h"

namespace halfstep {
namespace {

[[noreturn]] void fail(const std::string& what) { throw ConfigError("generate", what); }

void require_finite_noise(const Tensor& noise, const std::vector<uint64_t>& seeds) {
  if (noise.numel() == 0 || noise.isfinite().all().item<bool>()) return;
  fail("noise: expected finite numbers, received inf or nan for " +
       names_of(finite_examples(noise).cpu(), seeds));
}

void require_guidance(double w, const ModelSpec& spec) {
  const Sampling& sampling = spec.sampling;
  const std::string received = ", received " + text_of_guidance(w);
  if (!std::isfinite(w)) fail("guidance: expected a finite number" + received);
  if (sampling.fixed_guidance() && w != *sampling.fixed_guidance()) {
    fail("guidance: expected " + text_of_guidance(*sampling.fixed_guidance()) +
         ", with which this model was distilled, or none" + received);
  }
  if (w < sampling.guidance_min.value_or(w) || w > sampling.guidance_max.value_or(w)) {
    const auto bound = [](const std::optional<double>& value) {
      return value ? text_of_guidance(*value) : std::string("any");
    };
    fail("guidance: expected a number from " + bound(sampling.guidance_min) + " to " +
         bound(sampling.guidance_max) + ", which this model was made for" + received);
  }
  const bool own = guidance_channels(spec.network) > 0 || sampling.fixed_guidance();
  if (!own && w != 1.0 && !spec.has_null_class)
    fail("guidance: expected 1 (off), because this model has no null class" + received);
}

// Returns the network with guidance `w`, whichever way the model takes it.
RawOutput guided_output(const Model& model, double w) {
  const ModelSpec& spec = model.spec();
  RawOutput raw = raw_output(model);
  if (spec.sampling.fixed_guidance()) return raw;
  if (guidance_channels(spec.network) == 0) return guided(std::move(raw), w);
  return [raw = std::move(raw), w](const Tensor& z, const Tensor& phi, const Condition& condition) {
    Condition with_guidance = condition;
    with_guidance.guidance = at::full({z.size(0)}, w, z.options().dtype(at::kFloat));
    return raw(z, phi, with_guidance);
  };
}

}  // namespace

Tensor noise_of_seeds(const ModelSpec& spec, const std::vector<uint64_t>& seeds) {
  return normal_of_seeds(input_shape(spec.network), seeds, Purpose::sample_noise, 0);
}

Tensor labels_of_seeds(const ModelSpec& spec, const std::vector<uint64_t>& seeds) {
  Tensor labels =
      at::empty({static_cast<int64_t>(seeds.size())}, at::TensorOptions().dtype(at::kLong));
  const auto classes = static_cast<uint64_t>(std::max<int64_t>(num_classes(spec.network), 1));
  std::transform(seeds.begin(), seeds.end(), labels.data_ptr<int64_t>(), [&](uint64_t seed) {
    return static_cast<int64_t>(
        uniform_int({.seed = seed, .purpose = Purpose::sample_label}, classes));
  });
  return labels;
}

Tensor labels_for(const ModelSpec& spec, const GenerateOptions& options,
                  const std::vector<uint64_t>& seeds) {
  if (num_classes(spec.network) < 2) return {};
  if (options.class_label) {
    return at::full({static_cast<int64_t>(seeds.size())}, *options.class_label,
                    at::TensorOptions().dtype(at::kLong));
  }
  if (options.class_labels.empty()) return labels_of_seeds(spec, seeds);
  if (options.class_labels.size() == seeds.size())
    return at::tensor(options.class_labels, at::TensorOptions().dtype(at::kLong));
  fail("class_labels: expected one for each of " + std::to_string(seeds.size()) +
       " seeds, received " + std::to_string(options.class_labels.size()));
}

double guidance_of(const GenerateOptions& options, const ModelSpec& spec) {
  if (options.guidance) return *options.guidance;
  const Sampling& sampling = spec.sampling;
  const double w = std::max(1.0, sampling.guidance_min.value_or(1.0));
  return std::min(w, sampling.guidance_max.value_or(w));
}

int64_t calls_per_prediction(const GenerateOptions& options, const ModelSpec& spec) {
  const bool own = guidance_channels(spec.network) > 0 || spec.sampling.fixed_guidance();
  return own || guidance_of(options, spec) == 1.0 ? 1 : 2;
}

void require_class(const ModelSpec& spec, int64_t label) {
  const int64_t classes = num_classes(spec.network);
  const auto fail_class = [&](const std::string& expected) {
    fail("class: expected " + expected + ", received " +
         (label == kNullLabel ? "none" : std::to_string(label)));
  };
  if (classes < 2) fail_class("no class, because this model has no classes");
  if (label >= 0 && label < classes) return;
  if (label == kNullLabel && spec.has_null_class) return;
  fail_class("0 to " + std::to_string(classes - 1) +
             (spec.has_null_class ? " or none" : ", because this model has no null class"));
}

Denoiser guided_denoiser(const Model& model, std::optional<double> w) {
  const double weight = guidance_of({.guidance = w}, model.spec());
  require_guidance(weight, model.spec());
  return make_denoiser(guided_output(model, weight), model.spec().output);
}

void validate(const GenerateOptions& options, const ModelSpec& spec) {
  if (!options.num_steps && !spec.sampling.is_distilled())
    fail("steps: expected a number of steps for this teacher, such as 64, received none");
  if (options.num_steps && (*options.num_steps < 1 || *options.num_steps > kMostSteps)) {
    fail("steps: expected 1 to " + std::to_string(kMostSteps) + ", received " +
         std::to_string(*options.num_steps));
  }
  if (options.num_steps && spec.sampling.is_distilled() &&
      *options.num_steps != spec.sampling.num_steps && !options.force_steps) {
    fail("steps: expected " + std::to_string(spec.sampling.num_steps) +
         ", which this model was distilled for, received " + std::to_string(*options.num_steps) +
         "; use --force-steps to sample anyway");
  }
  if (options.spacing != Spacing::time && spec.sampling.is_distilled() && !options.force_steps) {
    fail("spacing: expected time, which this model was distilled for, received " +
         std::string(name_of(options.spacing)) + "; use --force-steps to sample anyway");
  }
  if (options.class_label && !options.class_labels.empty())
    fail("class_labels: expected none beside the class of all seeds, received some");
  if (options.class_label) require_class(spec, *options.class_label);
  for (const int64_t label : options.class_labels) require_class(spec, label);
  require_guidance(guidance_of(options, spec), spec);
  if (options.batch < 1 || options.batch > kMostBatch) {
    fail("batch: expected 1 to " + std::to_string(kMostBatch) + ", received " +
         std::to_string(options.batch));
  }
}

SampleOptions sample_options(const GenerateOptions& options, const ModelSpec& spec) {
  return {.sampler = options.sampler.value_or(spec.sampling.sampler),
          .variance = options.variance.value_or(spec.sampling.variance),
          .clip_x = options.clip_x && is_image(spec.network)};
}

KnownImages known_for(const ModelSpec& spec, const Tensor& images,
                      const std::vector<uint64_t>& seeds) {
  std::vector<RandomKey> keys;
  keys.reserve(seeds.size());
  for (const uint64_t seed : seeds) keys.push_back({.seed = seed, .purpose = Purpose::mask});
  return known_of(spec.condition, images, keys);
}

SampleInputs inputs_of_seeds(const ModelSpec& spec, const GenerateOptions& options,
                             const std::vector<uint64_t>& seeds) {
  validate(options, spec);
  const std::vector<int64_t> shape = example_shape(spec, options.known, seeds.size());
  SampleInputs inputs{.noise = normal_of_seeds(shape, seeds, Purpose::sample_noise, 0),
                      .labels = labels_for(spec, options, seeds),
                      .step_noise = {},
                      .guidance = {},
                      .condition = {}};
  if (spec.condition.is_on()) inputs.condition = condition_tensor(spec.condition, options.known);
  const int64_t steps = options.num_steps.value_or(spec.sampling.num_steps);
  if (sample_options(options, spec).sampler == Sampler::ancestral && steps > 1) {
    std::vector<Tensor> draws;
    for (int64_t step = steps; step > 1; --step) {
      draws.push_back(
          normal_of_seeds(shape, seeds, Purpose::step_noise, static_cast<uint32_t>(step)));
    }
    inputs.step_noise = at::stack(draws);
  }
  if (guidance_channels(spec.network) > 0) {
    inputs.guidance = at::full({static_cast<int64_t>(seeds.size())}, guidance_of(options, spec),
                               at::TensorOptions().dtype(at::kFloat));
  }
  return inputs;
}

Samples generate(const Model& model, const std::vector<uint64_t>& seeds,
                 const GenerateOptions& options, const Tensor& noise,
                 const GenerateProgress& progress) {
  const ModelSpec& spec = model.spec();
  validate(options, spec);
  const std::vector<int64_t> shape = example_shape(spec, options.known, seeds.size());
  if (noise.defined()) {
    require_shape("generate", "noise", noise, batch_shape(shape, seeds.size()));
    require_finite_noise(noise.to(at::kFloat), seeds);
  }
  const c10::InferenceMode inference;
  const at::Device device = model.device();
  const std::vector<double> grid =
      sampling_grid(Schedule(spec.schedule), options.num_steps.value_or(spec.sampling.num_steps),
                    options.spacing);
  const Denoiser denoiser = denoiser_for(guided_denoiser(model, options.guidance), spec, shape);

  const Tensor labels = labels_for(spec, options, seeds);
  const bool images = is_image(spec.network);
  const SampleOptions sampling = sample_options(options, spec);
  Samples samples{.images = at::empty(batch_shape(shape, seeds.size()),
                                      at::TensorOptions().dtype(images ? at::kByte : at::kFloat)),
                  .labels = labels};
  const auto count = static_cast<int64_t>(seeds.size());
  for (int64_t first = 0; first < count; first += options.batch) {
    const int64_t size = std::min(options.batch, count - first);
    const std::span<const uint64_t> batch_seeds(seeds.data() + first, static_cast<size_t>(size));
    Condition condition;
    if (labels.defined()) condition.labels = labels.narrow(0, first, size).to(device);
    const KnownImages known =
        options.known.defined() ? options.known.narrow(first, size) : KnownImages();
    if (known.defined())
      condition.tensors[kConditionImage] = condition_tensor(spec.condition, known).to(device);
    const NoiseAt noise_at = [&](int64_t step) {
      return normal_of_seeds(shape, batch_seeds, Purpose::step_noise, static_cast<uint32_t>(step))
          .to(device);
    };
    const Tensor z = noise.defined()
                         ? noise.narrow(0, first, size).to(at::kFloat)
                         : normal_of_seeds(shape, batch_seeds, Purpose::sample_noise, 0);
    FiniteCheck check;
    const Tensor x =
        sample(check.watch(denoiser), z.to(device), grid, condition, sampling, noise_at);
    check.require_finite(batch_seeds);
    samples.images.narrow(0, first, size)
        .copy_(images ? with_known_pixels(to_uint8(x).cpu(), known) : x);
    if (progress) progress(first + size);
  }
  return samples;
}

}  // namespace halfstep
