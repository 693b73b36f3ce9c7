#include "halfstep/convert/convert.h"

#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/official_checkpoint.h"
#include "halfstep/core/error.h"
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

ModelSpec official_spec(const fs::path& from, const ConvertOptions& options) {
  if (options.official_spec) return *options.official_spec;
  throw ConfigError("convert", "official_spec: expected the configuration of the checkpoint " +
                                   from.string() +
                                   " (cifar10, imagenet64, ...), which it does not state, "
                                   "received none");
}

}  // namespace

ModelFormat format_of_model(const fs::path& path) {
  if (may_be_official_checkpoint(path)) return ModelFormat::official;
  return is_diffusers_folder(path) ? ModelFormat::diffusers : ModelFormat::halfstep;
}

ImportedModel import_model(const fs::path& from, const ConvertOptions& options) {
  const ModelFormat format = format_of_model(from);
  if (format == ModelFormat::official)
    return {.model = import_official_checkpoint(from, official_spec(from, options)), .notes = {}};
  if (options.official_spec) {
    throw ConfigError("convert", "official_spec: expected none, because " + from.string() +
                                     " is not a checkpoint of the official code, received one");
  }
  if (format == ModelFormat::diffusers) {
    std::vector<std::string> notes;
    Model model = import_diffusers(from, &notes);
    return {.model = std::move(model), .notes = std::move(notes)};
  }
  return {.model = Model::load(from, {.precision = PrecisionChoice::fp32}), .notes = {}};
}

std::vector<std::string> convert_model(const fs::path& from, const fs::path& to,
                                       const ConvertOptions& options) {
  const bool to_file = to.extension() == ".safetensors";
  if (options.bf16 && !to_file) {
    throw ConfigError("convert", "bf16: expected to write a .safetensors file, received " +
                                     to.string() + "; a diffusers folder is loaded in any type");
  }
  const auto [model, notes] = import_model(from, options);
  if (is_torchscript(model.spec().network)) {
    throw ConfigError("convert", from.string() +
                                     ": expected a network that halfstep makes, received "
                                     "TorchScript, whose code no other format can hold");
  }
  if (!to_file) {
    export_diffusers(model, to);
  } else if (options.bf16) {
    save_model(to, model.spec(), model.network(), rounded_to_bf16(model.network().parameters()));
  } else {
    model.save(to);
  }
  return notes;
}

}  // namespace halfstep
