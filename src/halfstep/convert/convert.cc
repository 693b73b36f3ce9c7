#include "halfstep/convert/convert.h"

#include <set>
#include <utility>

#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/diffusers_exported.h"
#include "halfstep/convert/official_checkpoint.h"
#include "halfstep/core/error.h"
#include "halfstep/core/lower_case.h"
#include "halfstep/model/model_file.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

std::vector<NamedTensor> rounded_to_bf16(const std::vector<NamedTensor>& weights) {
  std::vector<NamedTensor> rounded;
  for (const auto& [name, tensor] : weights)
    rounded.push_back({.name = name, .tensor = tensor.detach().to(at::kBFloat16)});
  return rounded;
}

ModelSpec config_of_checkpoint(const fs::path& from, const ConvertOptions& options) {
  if (options.config) return *options.config;
  throw ConfigError("convert",
                    "config: expected the configuration of the checkpoint " + from.string() +
                        " (cifar10, imagenet64, ...), which it does not state, received none");
}

// Returns whether `to` names a halfstep model, rather than a folder. Throws ConfigError for the
// endings of other files: they are slips, not the names of folders.
bool names_model_file(const fs::path& to) {
  static const std::set<std::string> kFiles = {
      ".bin", ".ckpt", ".gguf", ".h5", ".json", ".npz", ".onnx", ".pb",  ".pkl",
      ".pt",  ".pt2",  ".pth",  ".py", ".tar",  ".zip", ".gz",   ".npy", ".msgpack"};
  const std::string expected =
      "to: expected FILE.safetensors for a halfstep model, or a folder for diffusers, received ";
  if (to.empty()) throw ConfigError("convert", expected + "none");
  if (to.extension() == ".safetensors") return true;
  const std::string ending = lower_case(to.extension().string());
  const bool misspelt = ending.starts_with(".safe") || ending.find("tensor") != std::string::npos;
  if ((misspelt || kFiles.contains(ending)) && !fs::is_directory(to))
    throw ConfigError("convert", expected + to.string());
  return false;
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
  const bool to_file = names_model_file(to);
  if (options.bf16 && !to_file) {
    throw ConfigError("convert", "bf16: expected to write a .safetensors file, received " +
                                     to.string() + "; a diffusers folder is loaded in any type");
  }
  auto [model, notes] = import_model(from, options);
  if (is_torchscript(model.spec().network)) {
    throw ConfigError("convert", from.string() +
                                     ": expected a network that halfstep makes, received "
                                     "TorchScript, whose code no other format can hold");
  }
  Conversion conversion{.notes = std::move(notes), .python = {}};
  if (!to_file) {
    export_diffusers(model, to);
    conversion.python = python_call(model.spec(), to);
  } else if (options.bf16) {
    save_model(to, model.spec(), model.network(), rounded_to_bf16(model.network().parameters()));
  } else {
    model.save(to);
  }
  return conversion;
}

}  // namespace halfstep
