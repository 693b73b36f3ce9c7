// Model files, which contain everything that sampling needs. See docs/formats.md.
//
//   model.safetensors   float32 weights; the metadata key `halfstep` has the ModelSpec as JSON
//   model.pt            a TorchScript network, code and weights; the extra file halfstep.json has
//                       the ModelSpec
//
// TorchScript is code: load only files that you trust.
#ifndef HALFSTEP_MODEL_MODEL_FILE_H_
#define HALFSTEP_MODEL_MODEL_FILE_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/io/dtype.h"
#include "halfstep/model/model.h"

namespace halfstep {

// Returns the model file that a path means: the path itself if it ends in .safetensors or .pt,
// whether or not it exists; model.safetensors or model.pt in a folder; otherwise nothing.
std::optional<std::filesystem::path> model_file_at(const std::filesystem::path& path);

// Returns the file name of a model with this network: "model.safetensors" or "model.pt".
std::string model_file_name(const NetworkOptions& network, std::string_view stem = "model");

// Writes a model whose weights are not those of its network, for example their EMA. `weights` has
// the names and shapes of the network's parameters. Atomic.
void save_model(const std::filesystem::path& path, const ModelSpec& spec, const Network& network,
                const std::vector<NamedTensor>& weights);

// Reads the network of a model alone, for training: on the CPU, in float32, the caller's to change.
// Throws as Model::load does.
std::unique_ptr<Network> load_network(const std::filesystem::path& path,
                                      const NetworkFactory& factory = {});

// Returns the number of parameters of the network of a model file. Throws as Model::load does.
int64_t count_parameters_of(const std::filesystem::path& path);

// Reads a TorchScript file that does not contain a spec. Throws as Model::load does, and
// ConfigError if the spec contradicts itself or is not of a TorchScript network.
Model load_torchscript_model(const std::filesystem::path& path, const ModelSpec& spec,
                             const LoadOptions& options = {});

// Returns the contents of the file of a TorchScript model, with its spec.
std::string torchscript_contents(const Model& model);

// Returns the SHA-256 of what a model computes with: its spec, its weights and its code. Two files
// of the same model have the same hash.
std::string sha256_of(const Model& model);

// Returns the element type of the weights in the file of a model, or nullopt if that is TorchScript
// or has weights of several types. Throws as Model::load does.
std::optional<io::DType> weight_type_of(const std::filesystem::path& path);

// Reads the spec alone, without making a network. Throws as Model::load does.
ModelSpec load_spec(const std::filesystem::path& path);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_MODEL_FILE_H_
