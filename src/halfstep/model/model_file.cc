#include "halfstep/model/model_file.h"

#include <map>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/tensor_io.h"
#include "halfstep/model/weights.h"

namespace halfstep {
namespace {

constexpr const char* kMetadataKey = "halfstep";

std::filesystem::path file_of(const std::filesystem::path& path) {
  return std::filesystem::is_directory(path) ? path / "model.safetensors" : path;
}

ModelSpec spec_of(const io::SafetensorsFile& file, const std::string& where) {
  const auto metadata = file.metadata().find(kMetadataKey);
  if (metadata == file.metadata().end()) {
    throw FormatError(
        where, "expected a halfstep model (metadata key \"halfstep\"), found other safetensors");
  }
  ModelSpec spec = spec_from_json(io::parse_json(metadata->second, where), where);
  require_sound(spec, where);
  return spec;
}

void load_weights(const io::SafetensorsFile& file, const Network& network,
                  const std::string& where) {
  if (file.tensors().size() != network.parameters().size()) {
    throw FormatError(where, "expected " + std::to_string(network.parameters().size()) +
                                 " tensors, found " + std::to_string(file.tensors().size()));
  }
  for (const NamedTensor& parameter : network.parameters()) {
    set_parameter(parameter, to_tensor(file.at(parameter.name)), where);
  }
  network.parameters_changed();
}

}  // namespace

void save_model(const std::filesystem::path& path, const ModelSpec& spec,
                const std::vector<NamedTensor>& weights) {
  std::map<std::string, io::Array> arrays;
  for (const NamedTensor& weight : weights) arrays.emplace(weight.name, to_array(weight.tensor));
  std::map<std::string, io::ArrayView> views;
  for (const auto& [name, array] : arrays) views.emplace(name, array.view());
  io::write_safetensors(path, views, {{kMetadataKey, to_json(spec).dump()}});
}

Model load_model(const std::filesystem::path& path) {
  const std::filesystem::path file_path = file_of(path);
  const std::string where = file_path.string();
  const io::SafetensorsFile file(file_path);
  Model model{.spec = spec_of(file, where), .network = nullptr};
  model.network = make_network_of_file(model.spec, where);
  load_weights(file, *model.network, where);
  return model;
}

ModelSpec load_spec(const std::filesystem::path& path) {
  const std::filesystem::path file_path = file_of(path);
  return spec_of(io::SafetensorsFile(file_path), file_path.string());
}

}  // namespace halfstep
