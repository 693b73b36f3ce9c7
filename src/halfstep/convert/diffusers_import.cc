#include <algorithm>
#include <iterator>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/diffusers_config.h"
#include "halfstep/convert/diffusers_weights.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/io/quote.h"
#include "halfstep/model/weights.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Returns the folder that is meant by one of its files: the index of the pipeline, or weights.
fs::path folder_of(const fs::path& path) {
  const std::string name = path.filename().string();
  if (name != kModelIndex && !name.starts_with("diffusion_pytorch_model.")) return path;
  return path.has_parent_path() ? path.parent_path() : ".";
}

// Returns the folder of a component: its own, or the pipeline's.
fs::path component(const fs::path& folder, const char* name) {
  return fs::is_directory(folder / name) ? folder / name : folder;
}

// Returns whether the folder holds a network that diffusers saved.
bool is_network(const fs::path& folder) {
  std::error_code ignored;
  return fs::exists(folder / "config.json", ignored) &&
         (fs::exists(folder / "diffusion_pytorch_model.safetensors", ignored) ||
          fs::exists(folder / "diffusion_pytorch_model.safetensors.index.json", ignored) ||
          fs::exists(folder / "diffusion_pytorch_model.bin", ignored));
}

// Returns the folder of a network that is not part of a pipeline: this one, or one of those that
// training scripts save; the average first.
std::optional<fs::path> lone_network(const fs::path& folder) {
  if (is_network(folder)) return folder;
  for (const char* name : {"unet_ema", "unet"}) {
    if (is_network(folder / name)) return folder / name;
  }
  return std::nullopt;
}

// Throws FormatError that says what to save or which folder to give.
[[noreturn]] void refuse_lone_network(const fs::path& folder, const fs::path& network) {
  const fs::path parent = (fs::absolute(network) / "..").lexically_normal();
  std::error_code ignored;
  if (fs::exists(parent / kModelIndex, ignored)) {
    throw FormatError(folder.string(), "expected the folder of a pipeline, with " +
                                           std::string(kModelIndex) +
                                           ", received a network of one; give " + parent.string());
  }
  throw FormatError(
      folder.string(),
      "expected a pipeline, with " + std::string(kModelIndex) +
          " and the scheduler of training, received a network alone; save one in Python: "
          "DDPMPipeline(UNet2DModel.from_pretrained(" +
          io::quote(network.string()) + "), noise_scheduler).save_pretrained(FOLDER)");
}

// Throws FormatError unless the pipeline consists of a network and a scheduler.
void require_pipeline(const json& index, const std::string& where) {
  const json name = index.is_object() ? index.value("_class_name", json()) : json();
  if (!name.is_string() && !name.is_array())
    fail_key(where, "_class_name", "the class of a pipeline of diffusers", name);
  for (const auto& [part, type] : index.items()) {
    const bool is_part = type.is_array() && type.size() == 2 && type[1].is_string();
    if (!is_part || part.starts_with("_") || part == "unet" || part == "scheduler") continue;
    throw FormatError(where, io::quote(part) +
                                 ": expected a pipeline of unet and scheduler alone, such as "
                                 "DDPMPipeline, received " +
                                 io::quote(name.dump()));
  }
}

DiffusersExtra extra_of(const json& index, Origin& origin, const std::string& where) {
  DiffusersExtra extra;
  if (!index.contains(kExtraKey)) return extra;
  json fields = index[kExtraKey];
  const std::string place = where + ": " + kExtraKey;
  if (fields.is_object() && fields.contains("origin"))
    io::fields_from_json(io::take(fields, "origin"), origin, place + ": origin");
  io::fields_from_json(fields, extra, place);
  if (extra.version != DiffusersExtra{}.version) {
    throw FormatError(place, "version: expected 1, received " + std::to_string(extra.version) +
                                 "; the folder was written by another version of halfstep");
  }
  return extra;
}

// Removes the row of the null label, which is zero, from the class embedding.
void take_null_row(std::map<std::string, Tensor>& tensors, const std::string& where) {
  const auto found = tensors.find("class_embedding.weight");
  if (found == tensors.end() || found->second.dim() != 2 || found->second.size(0) < 2) return;
  const int64_t rows = found->second.size(0) - 1;
  if (found->second.select(0, rows).ne(0).any().item<bool>()) {
    throw FormatError(where,
                      "class_embedding.weight: expected zeros in the last row, which is for no "
                      "class, received others; remove has_null_class from model_index.json");
  }
  found->second = found->second.narrow(0, 0, rows);
}

void load_weights(std::map<std::string, Tensor> tensors, int64_t levels, Network& network,
                  const std::string& where) {
  const ParameterEditor editor(network);
  for (const NamedTensor& parameter : editor.parameters())
    set_parameter(parameter, take_from_diffusers(parameter.name, levels, tensors, where), where);
  if (!tensors.empty()) {
    throw FormatError(where, "expected no other tensors than those of unet/config.json, received " +
                                 tensors.begin()->first);
  }
}

}  // namespace

bool is_diffusers_folder(const fs::path& path) {
  const fs::path folder = folder_of(path);
  std::error_code ignored;
  return fs::exists(folder / kModelIndex, ignored) || lone_network(folder);
}

Model import_diffusers(const fs::path& path, std::vector<std::string>* notes) {
  const fs::path folder = folder_of(path);
  const fs::path index_file = folder / kModelIndex;
  if (!fs::exists(index_file)) refuse_lone_network(folder, lone_network(folder).value_or(folder));
  const json index = io::read_python_json(index_file);
  require_pipeline(index, index_file.string());
  const fs::path unet = component(folder, "unet");
  const fs::path unet_config = unet / "config.json";
  const fs::path scheduler_config = component(folder, "scheduler") / "scheduler_config.json";
  std::vector<std::string> differences;
  UNet2dOptions options =
      unet2d_options_of(io::read_python_json(unet_config), unet_config.string(), differences);
  DiffusersScheduler scheduler =
      scheduler_of(io::read_python_json(scheduler_config), scheduler_config.string());
  options.num_train_timesteps = scheduler.timesteps;

  ModelSpec spec{.schedule = scheduler.schedule, .output = scheduler.output};
  spec.origin.version = version();
  const DiffusersExtra extra = extra_of(index, spec.origin, index_file.string());
  spec.sampling = extra.sampling;
  spec.has_null_class = extra.has_null_class;
  spec.class_names = extra.class_names;
  std::map<std::string, Tensor> tensors = read_diffusers_weights(unet, differences);
  if (spec.has_null_class) {
    take_null_row(tensors, unet.string());
    --options.num_classes;
  }
  const auto levels = static_cast<int64_t>(options.block_out_channels.size());
  spec.network = std::move(options);
  require_sound(spec, folder.string());

  std::unique_ptr<Network> network = make_network_of_file(spec, folder.string());
  load_weights(std::move(tensors), levels, *network, unet.string());
  const bool is_ours = index.contains(kExtraKey);  // then pipeline.py says how to sample
  if (!is_ours) std::ranges::move(scheduler.notes, std::back_inserter(differences));
  if (notes != nullptr) *notes = std::move(differences);
  return {std::move(spec), std::move(network)};
}

}  // namespace halfstep
