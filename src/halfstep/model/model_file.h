// The file of a model, all that sampling needs. See docs/formats.md.
//
//   model.safetensors   float32 weights; the ModelSpec as JSON is the metadata key `halfstep`
//   model.pt            a TorchScript network, code and weights; the ModelSpec is the extra file
//                       halfstep.json
//
// TorchScript is code: only files that you trust.
#ifndef HALFSTEP_MODEL_MODEL_FILE_H_
#define HALFSTEP_MODEL_MODEL_FILE_H_

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/model/model.h"

namespace halfstep {

// The model file that a path names: the path where it ends in .safetensors or .pt, there or not;
// what there is of model.safetensors and model.pt in a folder. None: the path is of something else.
std::optional<std::filesystem::path> model_file_at(const std::filesystem::path& path);

// What the file of a model with this network is called: "model.safetensors" or "model.pt".
std::string model_file_name(const NetworkOptions& network, std::string_view stem = "model");

// Atomic. `weights` has the names and shapes of the network's parameters (its EMA, say).
void save_model(const std::filesystem::path& path, const ModelSpec& spec, const Network& network,
                const std::vector<NamedTensor>& weights);
inline void save_model(const std::filesystem::path& path, const Model& model) {
  save_model(path, model.spec, *model.network, model.network->parameters());
}

// A file, or a folder with one in it. Throws IoError where there is none, FormatError where it is
// not a halfstep model, lacks a tensor, has one too many or one of another shape, or holds values
// that are not finite; for TorchScript, where it is not the network that its spec says.
Model load_model(const std::filesystem::path& path);

// A TorchScript file of somebody else's, which does not say what model it is. Throws as load_model,
// and ConfigError where the spec contradicts itself or is of another kind of network.
Model load_torchscript_model(const std::filesystem::path& path, const ModelSpec& spec);

// The spec alone, without reading it into a network.
ModelSpec load_spec(const std::filesystem::path& path);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_MODEL_FILE_H_
