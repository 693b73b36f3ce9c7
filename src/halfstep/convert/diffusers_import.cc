#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <utility>

#include "halfstep/convert/diffusers.h"
#include "halfstep/convert/diffusers_config.h"
#include "halfstep/convert/diffusers_weights.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/tensor_io.h"
#include "halfstep/model/weights.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

// Returns the folder of a component: its own, or the pipeline's.
fs::path component(const fs::path& folder, const char* name) {
  return fs::is_directory(folder / name) ? folder / name : folder;
}

void require_pipeline(const fs::path& folder) {
  const fs::path path = folder / "model_index.json";
  const json index = io::read_json(path);
  const json name = index.is_object() ? index.value("_class_name", json()) : json();
  if (name != "DDPMPipeline" && name != "DDIMPipeline") {
    fail_key(path.string(), "_class_name", "DDPMPipeline or DDIMPipeline", name);
  }
}

std::map<std::string, Tensor> read_tensors(const fs::path& unet) {
  const fs::path path = unet / "diffusion_pytorch_model.safetensors";
  if (!fs::exists(path)) {
    throw IoError(path.string(),
                  "expected the weights, found no such file; if the weights are in another file, "
                  "load the pipeline with diffusers and call save_pretrained(FOLDER)");
  }
  const io::SafetensorsFile file(path);
  std::map<std::string, Tensor> tensors;
  for (const auto& [name, array] : file.tensors()) tensors.emplace(name, to_tensor(array));
  return tensors;
}

DiffusersExtra read_extra(const fs::path& folder, Origin& origin) {
  DiffusersExtra extra;
  const fs::path path = folder / "halfstep.json";
  if (!fs::exists(path)) return extra;
  json fields = io::read_json(path);
  const std::string where = path.string();
  if (fields.is_object() && fields.contains("origin")) {
    io::fields_from_json(fields["origin"], origin, where + ": origin");
    fields.erase("origin");
  }
  io::fields_from_json(fields, extra, where);
  if (extra.version != DiffusersExtra{}.version) {
    throw FormatError(where, "version: expected 1, received " + std::to_string(extra.version) +
                                 "; the file was written by another version of halfstep");
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
                      "class, found others; remove has_null_class from halfstep.json");
  }
  found->second = found->second.narrow(0, 0, rows);
}

void load_weights(std::map<std::string, Tensor> tensors, int64_t levels, Network& network,
                  const std::string& where) {
  const ParameterEditor editor(network);
  for (const NamedTensor& parameter : editor.parameters())
    set_parameter(parameter, take_from_diffusers(parameter.name, levels, tensors, where), where);
  if (!tensors.empty()) {
    throw FormatError(where, "expected no other tensors than those of unet/config.json, found " +
                                 tensors.begin()->first);
  }
}

}  // namespace

bool is_diffusers_folder(const fs::path& folder) { return fs::exists(folder / "model_index.json"); }

Model import_diffusers(const fs::path& folder, std::vector<std::string>* notes) {
  require_pipeline(folder);
  const fs::path unet = component(folder, "unet");
  const fs::path unet_config = unet / "config.json";
  const fs::path scheduler_config = component(folder, "scheduler") / "scheduler_config.json";
  UNet2dOptions options = unet2d_options_of(io::read_json(unet_config), unet_config.string());
  DiffusersScheduler scheduler =
      scheduler_of(io::read_json(scheduler_config), scheduler_config.string());
  options.num_train_timesteps = scheduler.timesteps;

  ModelSpec spec{.schedule = scheduler.schedule, .output = scheduler.output};
  spec.origin.version = version();
  const DiffusersExtra extra = read_extra(folder, spec.origin);
  spec.sampling = extra.sampling;
  spec.has_null_class = extra.has_null_class;
  spec.class_names = extra.class_names;
  std::map<std::string, Tensor> tensors = read_tensors(unet);
  if (spec.has_null_class) {
    take_null_row(tensors, unet.string());
    --options.num_classes;
  }
  const auto levels = static_cast<int64_t>(options.block_out_channels.size());
  spec.network = std::move(options);
  require_sound(spec, folder.string());

  std::unique_ptr<Network> network = make_network_of_file(spec, folder.string());
  load_weights(std::move(tensors), levels, *network, unet.string());
  if (notes != nullptr) *notes = std::move(scheduler.notes);
  return {std::move(spec), std::move(network)};
}

}  // namespace halfstep
