#include <map>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>

#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/diffusers_config.h"
#include "halfstep/convert/diffusers_exported.h"
#include "halfstep/convert/diffusers_weights.h"
#include "halfstep/convert/official_as_unet2d.h"
#include "halfstep/core/error.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

void require_expressible(const ModelSpec& spec, int64_t timesteps) {
  if (is_code(spec.network)) {
    throw ConfigError("diffusers",
                      "network: expected one that halfstep makes, received code (such as "
                      "TorchScript), which no other format can hold");
  }
  if (spec.condition.is_on()) {
    throw ConfigError("diffusers",
                      "condition: expected none, because no unconditional pipeline of diffusers "
                      "restores images, received " +
                          spec.condition.text());
  }
  if (guidance_channels(spec.network) > 0) {
    throw ConfigError("diffusers",
                      "guidance: expected one weight, from " +
                          text_of_guidance(*spec.sampling.guidance_min) + " to " +
                          text_of_guidance(*spec.sampling.guidance_max) +
                          ", because a UNet2DModel does not take it as an input, as this model "
                          "does; received none; set --guidance");
  }
  if (spec.output == Output::x_and_eps)
    throw ConfigError("diffusers", "output: expected x, eps or v, received x_and_eps");
  const Sampling& sampling = spec.sampling;
  if (sampling.sampler != Sampler::ddim &&
      (sampling.sampler != Sampler::ancestral || sampling.variance != 0.0)) {
    throw ConfigError("diffusers",
                      "sampler: expected a model made for ddim, or for ancestral with the small "
                      "variance, received one for " +
                          std::string(name_of(sampling.sampler)) +
                          (sampling.sampler == Sampler::ancestral
                               ? " with variance " + std::to_string(sampling.variance)
                               : ""));
  }
  if (spec.sampling.is_distilled() && timesteps % spec.sampling.num_steps != 0) {
    throw ConfigError("diffusers",
                      "num_steps: expected a divisor of " + std::to_string(timesteps) +
                          " timesteps, which the scheduler steps over evenly, received " +
                          std::to_string(spec.sampling.num_steps));
  }
}

void write_weights(const fs::path& path, std::map<std::string, Tensor> tensors) {
  std::map<std::string, io::Array> arrays;
  for (const auto& [name, tensor] : tensors) arrays.emplace(name, to_array(tensor));
  std::map<std::string, io::ArrayView> views;
  for (const auto& [name, array] : arrays) views.emplace(name, array.view());
  io::write_safetensors(path, views, {{"format", "pt"}});
}

// Throws ConfigError if the folder holds anything but an older export. Files that an export does
// not have, such as shards, would be loaded instead of it.
void require_own_folder(const fs::path& folder) {
  std::error_code ignored;
  if (!fs::exists(folder, ignored) || fs::is_empty(folder, ignored)) return;
  if (fs::exists(folder / kModelIndex) &&
      io::read_python_json(folder / kModelIndex).contains(kExtraKey))
    return;
  throw ConfigError("convert", "to: expected a new folder, or one that halfstep wrote, received " +
                                   folder.string() + ", which has other files");
}

json extra_of(const ModelSpec& spec, bool time_is_angle) {
  json extra = io::fields_to_json(DiffusersExtra{.sampling = spec.sampling,
                                                 .has_null_class = spec.has_null_class,
                                                 .class_names = spec.class_names,
                                                 .time_is_angle = time_is_angle});
  leave_out_default_sampling(extra);
  extra["origin"] = io::fields_to_json(spec.origin);
  return extra;
}

// Writes model_index.json last: without it, the folder is not taken for a pipeline.
void write_folder(const Model& model, const UNet2dOptions& network, bool time_is_angle,
                  const fs::path& folder) {
  const ModelSpec& spec = model.spec();
  require_own_folder(folder);
  fs::create_directories(folder / "unet");
  fs::create_directories(folder / "scheduler");

  std::map<std::string, Tensor> tensors = to_diffusers(
      model.network().parameters(), static_cast<int64_t>(network.block_out_channels.size()));
  UNet2dOptions options = network;
  if (spec.has_null_class) {
    Tensor& rows = tensors.at("class_embedding.weight");
    rows = at::constant_pad_nd(rows, {0, 0, 0, 1});
    ++options.num_classes;
  }
  write_weights(folder / "unet" / "diffusion_pytorch_model.safetensors", std::move(tensors));
  io::write_json(folder / "unet" / "config.json", unet_config_of(options));
  const json scheduler = scheduler_config_of(spec.schedule, spec.output,
                                             network.num_train_timesteps, spec.sampling.sampler);
  io::write_json(folder / "scheduler" / "scheduler_config.json", scheduler);

  io::write_file(folder / "pipeline.py", kPipelinePy);
  io::write_file(folder / "sample.py", kSamplePy);
  io::write_file(folder / "README.md", model_card(spec, folder));
  io::write_json(folder / kModelIndex, {{"_class_name", {"pipeline", "HalfstepPipeline"}},
                                        {"_diffusers_version", kDiffusersVersion},
                                        {kExtraKey, extra_of(spec, time_is_angle)},
                                        {"scheduler", {"diffusers", scheduler.at("_class_name")}},
                                        {"unet", {"diffusers", "UNet2DModel"}}});
}

}  // namespace

void export_diffusers(const Model& model, const fs::path& folder) {
  const auto* network = std::get_if<UNet2dOptions>(&model.spec().network);
  require_expressible(model.spec(),
                      network ? network->num_train_timesteps : UNet2dOptions{}.num_train_timesteps);
  if (network) return write_folder(model, *network, /*time_is_angle=*/false, folder);
  const Model converted = official_as_unet2d(model);
  write_folder(converted, std::get<UNet2dOptions>(converted.spec().network),
               /*time_is_angle=*/true, folder);
}

}  // namespace halfstep
