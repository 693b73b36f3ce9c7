#include "halfstep/model/model_file.h"

#include <ATen/core/grad_mode.h>
#include <c10/util/Exception.h>

#include <map>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/tensor_io.h"

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
  try {
    validate(spec);
  } catch (const ConfigError& error) {
    throw FormatError(where, std::string("a model that contradicts itself: ") + error.what());
  }
  return spec;
}

void load_weights(const io::SafetensorsFile& file, const Network& network,
                  const std::string& where) {
  const at::NoGradGuard no_grad;
  if (file.tensors().size() != network.parameters().size()) {
    throw FormatError(where, "expected " + std::to_string(network.parameters().size()) +
                                 " tensors, found " + std::to_string(file.tensors().size()));
  }
  for (const NamedTensor& parameter : network.parameters()) {
    const Tensor value = to_tensor(file.at(parameter.name));
    const auto expected = parameter.tensor.sizes();
    if (value.sizes() != expected || !value.is_floating_point()) {
      throw FormatError(where, parameter.name + ": expected real numbers of shape " +
                                   io::to_string(expected.vec()) + ", found " +
                                   at::toString(value.scalar_type()) + " " +
                                   io::to_string(value.sizes().vec()));
    }
    if (!value.isfinite().all().item<bool>()) {
      throw FormatError(where, parameter.name + ": expected finite numbers, found inf or nan");
    }
    Tensor(parameter.tensor).copy_(value);
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
  try {
    model.network = make_network(model.spec);
  } catch (const c10::Error& error) {
    const std::string reason = error.what_without_backtrace();
    throw FormatError(where, "expected a network that memory holds, found: " +
                                 reason.substr(0, reason.find('\n')));
  }
  load_weights(file, *model.network, where);
  return model;
}

ModelSpec load_spec(const std::filesystem::path& path) {
  const std::filesystem::path file_path = file_of(path);
  return spec_of(io::SafetensorsFile(file_path), file_path.string());
}

}  // namespace halfstep
