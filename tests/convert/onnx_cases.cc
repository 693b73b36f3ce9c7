// Writes models as ONNX files, with inputs for them and what halfstep computes from these in
// float32; onnx_test.py runs the files and compares.
//
//     halfstep_onnx_cases FOLDER random FIRST COUNT    models of random_models.h
//     halfstep_onnx_cases FOLDER model PATH            one model; a teacher with and without
//     guidance
//
// Each case NAME is NAME.onnx, the model, and NAME.npz: its inputs by name, and as `expected` the
// output.
#include <c10/core/InferenceMode.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <map>
#include <numeric>
#include <string>
#include <vector>

#include "halfstep/convert/onnx.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/tensor_io.h"
#include "tests/convert/random_models.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kExamples = 5;
constexpr int64_t kTeacherSteps = 3;

// Returns the options with which `count` examples are drawn: random images are restored.
GenerateOptions with_known(const ModelSpec& spec, GenerateOptions options, size_t count) {
  if (!spec.condition.is_on()) return options;
  std::vector<int64_t> shape = input_shape(spec.network);
  shape.insert(shape.begin(), static_cast<int64_t>(count));
  std::vector<uint64_t> seeds(count);
  std::iota(seeds.begin(), seeds.end(), 0);
  options.known =
      known_for(spec, at::randint(0, 256, shape, at::TensorOptions().dtype(at::kByte)), seeds);
  return options;
}

Condition condition_of(const SampleInputs& inputs) {
  Condition condition{.labels = inputs.labels, .guidance = inputs.guidance, .tensors = {}};
  if (inputs.condition.defined()) condition.tensors[kConditionImage] = inputs.condition;
  return condition;
}

// Returns x with the known pixels of inpainting.
Tensor with_known(const ModelSpec& spec, const Tensor& x, const Tensor& condition) {
  if (spec.condition.kind != ImageCondition::Kind::inpainting) return x;
  const int64_t channels = x.size(1);
  return at::where(condition.narrow(1, channels, 1).eq(1.0), condition.narrow(1, 0, channels), x);
}

// Different classes and weights for the examples, and no class where that is possible.
void vary(const ModelSpec& spec, SampleInputs& inputs) {
  if (inputs.labels.defined()) {
    for (int64_t i = 0; i < kExamples; ++i) inputs.labels[i] = i % num_classes(spec.network);
    if (spec.has_null_class) inputs.labels[1] = kNullLabel;
  }
  if (inputs.guidance.defined())
    inputs.guidance = at::tensor(std::vector<float>{1.0F, 2.0F, 1.7F, 3.3F, 5.0F});
}

// The raw output as both kinds of files have it.
RawOutput raw_of(const Model& model, const SampleInputs& inputs, double w) {
  RawOutput raw = raw_output(model.network());
  if (inputs.guidance.defined() || model.spec().sampling.fixed_guidance()) return raw;
  return guided(raw, w);
}

void write_sampler(const Model& model, const GenerateOptions& options, const fs::path& stem) {
  const ModelSpec& spec = model.spec();
  std::vector<uint64_t> seeds(kExamples);
  std::iota(seeds.begin(), seeds.end(), 0);
  SampleInputs inputs = inputs_of_seeds(spec, with_known(spec, options, kExamples), seeds);
  vary(spec, inputs);
  const int64_t steps = options.num_steps.value_or(spec.sampling.num_steps);
  const Tensor x = sample(
      make_denoiser(raw_of(model, inputs, guidance_of(options, spec)), spec.output), inputs.noise,
      sampling_grid(Schedule(spec.schedule), steps), condition_of(inputs),
      sample_options(options, spec), [&](int64_t step) { return inputs.step_noise[steps - step]; });
  save_onnx(model, {.num_steps = options.num_steps, .guidance = options.guidance},
            stem.string() + ".onnx");
  write_npz(stem.string() + ".npz", {{"noise", inputs.noise},
                                     {"class", inputs.labels},
                                     {"guidance", inputs.guidance},
                                     {"step_noise", inputs.step_noise},
                                     {"condition", inputs.condition},
                                     {"expected", with_known(spec, x, inputs.condition)}});
}

void write_network(const Model& model, const std::optional<double>& guidance,
                   const fs::path& stem) {
  const ModelSpec& spec = model.spec();
  SampleInputs inputs = inputs_of_seeds(
      spec, with_known(spec, {.num_steps = 1, .force_steps = true}, kExamples), {9, 8, 7, 6, 5});
  vary(spec, inputs);
  // The angles that the float32 log-SNR stands for.
  const Tensor logsnr = at::tensor(std::vector<float>{-18.0F, -3.7F, 0.1F, 2.6F, 11.0F});
  const Tensor raw = raw_of(model, inputs, guidance.value_or(1.0))(
      inputs.noise, phi_of_logsnr(logsnr), condition_of(inputs));
  save_onnx(model, {.network = true, .guidance = guidance}, stem.string() + ".onnx");
  write_npz(stem.string() + ".npz", {{"z", inputs.noise},
                                     {"logsnr", logsnr},
                                     {"class", inputs.labels},
                                     {"guidance", inputs.guidance},
                                     {"condition", inputs.condition},
                                     {"expected", raw}});
}

void write_model(const Model& model, bool guided, const fs::path& stem) {
  const ModelSpec& spec = model.spec();
  GenerateOptions options;
  if (!spec.sampling.is_distilled()) options.num_steps = kTeacherSteps;
  write_sampler(model, options, stem.string() + "-sampler");
  write_network(model, std::nullopt, stem.string() + "-network");
  if (!spec.has_null_class || guidance_channels(spec.network) > 0 || !guided) return;
  options.guidance = 2.5;
  write_sampler(model, options, stem.string() + "-guided-sampler");
  write_network(model, options.guidance, stem.string() + "-guided-network");
}

int run(const std::vector<std::string>& arguments) {
  const c10::InferenceMode inference;
  const fs::path folder = arguments.at(0);
  if (arguments.at(1) == "model") {
    const fs::path path = arguments.at(2);
    const Model model = Model::load(path, {.precision = PrecisionChoice::fp32});
    write_model(model, !model.spec().sampling.is_distilled(), folder / path.filename());
    return 0;
  }
  const uint64_t first = std::stoull(arguments.at(2));
  for (uint64_t seed = first; seed < first + std::stoull(arguments.at(3)); ++seed) {
    // Every third restores images.
    write_model(test::random_model(seed, /*restores=*/seed % 3 == 2), /*guided=*/true,
                folder / ("random-" + std::to_string(seed)));
  }
  return 0;
}

}  // namespace
}  // namespace halfstep

int main(int argc, char** argv) {
  try {
    return halfstep::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
