#include "halfstep/model/model_file.h"

#include <cstddef>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/json.h"
#include "halfstep/io/safetensors.h"
#include "halfstep/model/other_torch_file.h"
#include "halfstep/model/spec_json.h"
#include "halfstep/model/tensor_io.h"
#include "halfstep/model/weights.h"

namespace halfstep {
namespace {

constexpr const char* kMetadataKey = "halfstep";
constexpr const char* kHashKey = "halfstep.sha256";

constexpr const char* kSafetensors = ".safetensors";
constexpr const char* kTorchScript = ".pt";
constexpr const char* kTorchScriptFile = "a TorchScript file";

// Returns the file to read. If the path means no model file, reading the result says why.
std::filesystem::path file_of(const std::filesystem::path& path) {
  if (path.extension() == ".onnx") {
    throw FormatError(path.string(),
                      "expected a .safetensors or .pt file, received an ONNX file, which halfstep "
                      "writes and describes but does not run; use ONNX Runtime");
  }
  if (const auto file = model_file_at(path)) return *file;
  if (!std::filesystem::is_directory(path)) return path;
  throw IoError(path.string(),
                "expected a model: a .safetensors or .pt file, or a folder with model.safetensors, "
                "model.pt or a diffusers pipeline; received a folder without any of them");
}

bool names_torchscript(const std::filesystem::path& file) {
  return file.extension() == kTorchScript;
}

// Parses a spec. Throws if it is of another kind of network than the file.
ModelSpec spec_of(const std::string& text, const std::string& where, bool torchscript) {
  ModelSpec spec = spec_from_json(io::parse_json(text, where), where);
  require_sound(spec, where);
  if (is_torchscript(spec.network) == torchscript) return spec;
  throw FormatError(
      where, torchscript ? "network: expected type torchscript in a TorchScript file"
                         : "network: expected tensors of a network, received type torchscript");
}

// Copies of weights in the layout of a file, and views of them by name.
struct WeightArrays {
  explicit WeightArrays(const std::vector<NamedTensor>& weights) {
    for (const NamedTensor& weight : weights) {
      arrays.push_back(to_array(weight.tensor));
      views.emplace(weight.name, arrays.back().view());  // of bytes that stay where they are
    }
  }
  std::vector<io::Array> arrays;
  std::map<std::string, io::ArrayView> views;
};

// Returns the SHA-256 of the text of a spec, then of the name and the bytes of each weight.
std::string sha256_of(const std::string& spec,
                      const std::map<std::string, io::ArrayView>& weights) {
  io::Sha256 hash;
  hash.update(std::as_bytes(std::span(spec)));
  for (const auto& [name, weight] : weights) {
    hash.update(std::as_bytes(std::span(name)));
    hash.update(weight.bytes);
  }
  return hash.hex();
}

// Files of older versions have no hash.
ModelSpec spec_of(const io::SafetensorsFile& file, const std::string& where) {
  const auto metadata = file.metadata().find(kMetadataKey);
  if (metadata == file.metadata().end()) {
    throw FormatError(
        where, "expected a halfstep model (metadata key \"halfstep\"), received other safetensors");
  }
  if (const auto hash = file.metadata().find(kHashKey); hash != file.metadata().end())
    io::require_hash(where, kHashKey, hash->second, sha256_of(metadata->second, file.tensors()));
  return spec_of(metadata->second, where, /*torchscript=*/false);
}

ModelSpec spec_of(const TorchScriptFile& file) {
  if (file.spec.empty()) {
    throw FormatError(file.where,
                      "expected a halfstep model (extra file halfstep.json), received other "
                      "TorchScript; give its spec with --teacher-spec");
  }
  return spec_of(file.spec, file.where, /*torchscript=*/true);
}

struct SpecAndNetwork {
  ModelSpec spec;
  std::unique_ptr<Network> network;
};

void load_weights(const io::SafetensorsFile& file, Network& network, const std::string& where) {
  if (file.tensors().size() != network.parameters().size()) {
    throw FormatError(where, "expected " + std::to_string(network.parameters().size()) +
                                 " tensors, received " + std::to_string(file.tensors().size()));
  }
  const ParameterEditor editor(network);
  for (const NamedTensor& parameter : editor.parameters()) {
    set_parameter(parameter, to_tensor(file.at(parameter.name)), where);
  }
}

SpecAndNetwork read_torchscript_model(const std::filesystem::path& path) {
  require_no_other_torch_file(path, kTorchScriptFile);
  const TorchScriptFile file = read_torchscript(path);
  SpecAndNetwork read{.spec = spec_of(file), .network = nullptr};
  read.network =
      std::make_unique<TorchScriptNetwork>(file, std::get<TorchScriptOptions>(read.spec.network));
  return read;
}

SpecAndNetwork read_model(const std::filesystem::path& path, const NetworkFactory& factory) {
  const std::filesystem::path file_path = file_of(path);
  if (names_torchscript(file_path)) return read_torchscript_model(file_path);
  const std::string where = file_path.string();
  require_no_other_torch_file(file_path, "a safetensors file");
  const io::SafetensorsFile file(file_path);
  SpecAndNetwork read{.spec = spec_of(file, where), .network = nullptr};
  read.network = make_network_of_file(read.spec, where, factory);
  load_weights(file, *read.network, where);
  return read;
}

Model model_of(SpecAndNetwork read, const LoadOptions& options) {
  read.network->to(options.device);
  const Precision precision = resolve(options.precision, read.spec.network, options.device);
  return {std::move(read.spec), std::move(read.network), precision};
}

}  // namespace

std::optional<std::filesystem::path> model_file_at(const std::filesystem::path& path) {
  const auto extension = path.extension();
  if (!std::filesystem::is_directory(path)) {
    const bool named = extension == kSafetensors || extension == kTorchScript;
    return named ? std::optional(path) : std::nullopt;
  }
  for (const char* of_kind : {kSafetensors, kTorchScript}) {
    std::filesystem::path file = path / (std::string("model") + of_kind);
    if (std::filesystem::exists(file)) return file;
  }
  return std::nullopt;
}

std::string model_file_name(const NetworkOptions& network, std::string_view stem) {
  return std::string(stem) + (is_torchscript(network) ? kTorchScript : kSafetensors);
}

void save_model(const std::filesystem::path& path, const ModelSpec& spec, const Network& network,
                const std::vector<NamedTensor>& weights) {
  if (is_torchscript(spec.network)) {
    const auto& torchscript = dynamic_cast<const TorchScriptNetwork&>(network);
    return io::write_file(path, torchscript.contents_with(weights, to_json(spec).dump()));
  }
  const WeightArrays arrays(weights);
  const std::string text = to_json(spec).dump();
  io::write_safetensors(path, arrays.views,
                        {{kMetadataKey, text}, {kHashKey, sha256_of(text, arrays.views)}});
}

Model Model::load(const std::filesystem::path& path, const LoadOptions& options) {
  return model_of(read_model(path, options.factory), options);
}

void Model::save(const std::filesystem::path& path) const {
  save_model(path, spec(), network(), network().parameters());
}

std::unique_ptr<Network> load_network(const std::filesystem::path& path,
                                      const NetworkFactory& factory) {
  return read_model(path, factory).network;
}

Model load_torchscript_model(const std::filesystem::path& path, const ModelSpec& spec,
                             const LoadOptions& load_options) {
  validate(spec);
  const auto* options = std::get_if<TorchScriptOptions>(&spec.network);
  if (options == nullptr)
    throw ConfigError("load_torchscript_model", "network: expected type torchscript");
  require_no_other_torch_file(path, kTorchScriptFile);
  return model_of(
      {.spec = spec,
       .network = std::make_unique<TorchScriptNetwork>(read_torchscript(path), *options)},
      load_options);
}

std::string torchscript_contents(const Model& model) {
  const auto& network = dynamic_cast<const TorchScriptNetwork&>(model.network());
  return network.contents_with(network.parameters(), to_json(model.spec()).dump());
}

std::string sha256_of(const Model& model) {
  if (is_torchscript(model.spec().network)) {
    const std::string contents = torchscript_contents(model);
    return io::sha256_hex(std::as_bytes(std::span(contents)));
  }
  return sha256_of(to_json(model.spec()).dump(), WeightArrays(model.network().parameters()).views);
}

std::optional<io::DType> weight_type_of(const std::filesystem::path& path) {
  const std::filesystem::path file_path = file_of(path);
  if (names_torchscript(file_path)) return std::nullopt;
  const io::SafetensorsFile file(file_path);
  std::set<io::DType> types;
  for (const auto& [name, tensor] : file.tensors()) types.insert(tensor.dtype);
  return types.size() == 1 ? std::optional(*types.begin()) : std::nullopt;
}

int64_t count_parameters_of(const std::filesystem::path& path) {
  const std::filesystem::path file_path = file_of(path);
  if (names_torchscript(file_path)) return count_parameters(*load_network(file_path));
  int64_t count = 0;
  const io::SafetensorsFile file(file_path);
  for (const auto& [name, tensor] : file.tensors()) count += tensor.count();
  return count;
}

ModelSpec load_spec(const std::filesystem::path& path) {
  const std::filesystem::path file_path = file_of(path);
  if (names_torchscript(file_path)) return spec_of(read_torchscript(file_path));
  return spec_of(io::SafetensorsFile(file_path), file_path.string());
}

}  // namespace halfstep
