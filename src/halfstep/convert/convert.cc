#include "halfstep/convert/convert.h"

#include <array>
#include <cstdio>
#include <set>
#include <string>
#include <utility>

#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/diffusers_exported.h"
#include "halfstep/convert/fold_guidance.h"
#include "halfstep/convert/official_checkpoint.h"
#include "halfstep/convert/onnx.h"
#include "halfstep/core/error.h"
#include "halfstep/core/lower_case.h"
#include "halfstep/model/model_file.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

at::ScalarType scalar_type(WeightType dtype) {
  switch (dtype) {
    case WeightType::float32:
      return at::kFloat;
    case WeightType::float16:
      return at::kHalf;
    case WeightType::bfloat16:
      return at::kBFloat16;
  }
  throw ConfigError("convert", "dtype: expected an enumerator, received another value");
}

// Rounds weights to their type in the file. Throws ConfigError if one becomes infinite.
std::vector<NamedTensor> rounded(const std::vector<NamedTensor>& weights, WeightType dtype) {
  std::vector<NamedTensor> all;
  for (const auto& [name, weight] : weights) {
    const Tensor tensor = weight.detach().to(scalar_type(dtype));
    if (!tensor.isfinite().all().item<bool>()) {
      std::array<char, 32> largest{};
      std::snprintf(largest.data(), largest.size(), "%.4g",
                    weight.detach().abs().max().item<double>());
      throw ConfigError("convert", "dtype: expected weights that " + std::string(name_of(dtype)) +
                                       " can hold, received " + largest.data() + " in " + name +
                                       "; use float32" +
                                       (dtype == WeightType::float16 ? " or bfloat16" : ""));
    }
    all.push_back({.name = name, .tensor = tensor});
  }
  return all;
}

ModelSpec config_of_checkpoint(const fs::path& from, const ConvertOptions& options) {
  if (options.config) return *options.config;
  throw ConfigError("convert",
                    "config: expected the configuration of the checkpoint " + from.string() +
                        " (cifar10, imagenet64, ...), which it does not state, received none");
}

enum class Target { model_file, onnx_file, diffusers_folder };

// Returns what `to` names. Throws ConfigError for the endings of other files: they are slips, not
// the names of folders.
Target target_of(const fs::path& to) {
  static const std::set<std::string> kFiles = {".bin", ".ckpt", ".gguf", ".h5",  ".json",   ".npz",
                                               ".pb",  ".pkl",  ".pt",   ".pt2", ".pth",    ".py",
                                               ".tar", ".zip",  ".gz",   ".npy", ".msgpack"};
  const std::string expected =
      "to: expected FILE.safetensors for a halfstep model, FILE.onnx, or a folder for diffusers, "
      "received ";
  if (to.empty()) throw ConfigError("convert", expected + "none");
  if (to.extension() == ".safetensors") return Target::model_file;
  if (to.extension() == ".onnx") return Target::onnx_file;
  const std::string ending = lower_case(to.extension().string());
  const bool misspelt = ending.starts_with(".safe") || ending.starts_with(".onnx") ||
                        ending.find("tensor") != std::string::npos;
  if ((misspelt || kFiles.contains(ending)) && !fs::is_directory(to))
    throw ConfigError("convert", expected + to.string());
  return Target::diffusers_folder;
}

// Throws ConfigError for options that the target cannot have.
void require_options(const ConvertOptions& options, Target target, const fs::path& to) {
  if (options.dtype != WeightType::float32 && target != Target::model_file) {
    throw ConfigError(
        "convert",
        "dtype: expected float32 for " +
            std::string(target == Target::onnx_file ? "an ONNX file"
                                                    : "a diffusers folder, which can be loaded in "
                                                      "any type") +
            ", received " + std::string(name_of(options.dtype)) + " for " + to.string());
  }
  if (target == Target::onnx_file || (!options.num_steps && !options.network)) return;
  throw ConfigError("convert", std::string(options.network ? "network" : "steps") +
                                   ": expected --to FILE.onnx, which alone can have it, received " +
                                   to.string());
}

}  // namespace

ModelFormat format_of_model(const fs::path& path) {
  if (may_be_official_checkpoint(path)) return ModelFormat::official;
  return is_diffusers_folder(path) ? ModelFormat::diffusers : ModelFormat::halfstep;
}

ImportedModel import_model(const fs::path& from, const ConvertOptions& options) {
  const ModelFormat format = format_of_model(from);
  if (format == ModelFormat::official)
    return {.model = import_official_checkpoint(from, config_of_checkpoint(from, options)),
            .notes = {}};
  if (options.config) {
    throw ConfigError("convert", "config: expected none, because " + from.string() +
                                     " is not a checkpoint of the official code, received one");
  }
  if (format == ModelFormat::diffusers) {
    std::vector<std::string> notes;
    Model model = import_diffusers(from, &notes);
    return {.model = std::move(model), .notes = std::move(notes)};
  }
  return {.model = Model::load(from, {.precision = PrecisionChoice::fp32}), .notes = {}};
}

Conversion convert_model(const fs::path& from, const fs::path& to, const ConvertOptions& options) {
  const Target target = target_of(to);
  require_options(options, target, to);
  auto [model, notes] = import_model(from, options);
  if (is_code(model.spec().network)) {
    throw ConfigError("convert", from.string() +
                                     ": expected a network that halfstep makes, received "
                                     "code (such as TorchScript), which no other format can hold");
  }
  Conversion conversion{.notes = std::move(notes), .python = {}};
  if (target == Target::onnx_file) {
    save_onnx(
        model,
        {.network = options.network, .num_steps = options.num_steps, .guidance = options.guidance},
        to);
    return conversion;
  }
  if (options.guidance) model = fold_guidance(model, *options.guidance);
  if (target == Target::model_file) {
    save_model(to, model.spec(), model.network(),
               rounded(model.network().parameters(), options.dtype));
  } else {
    export_diffusers(model, to);
    conversion.python = python_call(model.spec(), to);
  }
  return conversion;
}

}  // namespace halfstep
