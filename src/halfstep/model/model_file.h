// model.safetensors: float32 weights and, under the metadata key `halfstep`, the ModelSpec as JSON.
// One file is all that sampling needs. See docs/formats.md.
#ifndef HALFSTEP_MODEL_MODEL_FILE_H_
#define HALFSTEP_MODEL_MODEL_FILE_H_

#include <filesystem>
#include <vector>

#include "halfstep/model/model.h"

namespace halfstep {

// Atomic. `weights` has the names and shapes of the network's parameters (its EMA, say).
void save_model(const std::filesystem::path& path, const ModelSpec& spec,
                const std::vector<NamedTensor>& weights);
inline void save_model(const std::filesystem::path& path, const Model& model) {
  save_model(path, model.spec, model.network->parameters());
}

// A file, or a folder with a model.safetensors in it. Throws IoError where there is none,
// FormatError where it is not a halfstep model, lacks a tensor, has one too many or one of another
// shape, or holds values that are not finite.
Model load_model(const std::filesystem::path& path);

// The spec alone, without reading it into a network.
ModelSpec load_spec(const std::filesystem::path& path);

}  // namespace halfstep

#endif  // HALFSTEP_MODEL_MODEL_FILE_H_
