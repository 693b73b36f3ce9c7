// Models as the commands take them: halfstep's own, and folders of diffusers, which are imported.
#ifndef HALFSTEP_CLI_LOAD_MODEL_H_
#define HALFSTEP_CLI_LOAD_MODEL_H_

#include <filesystem>
#include <optional>

#include "halfstep/model/model.h"
#include "halfstep/train/source_model.h"

namespace halfstep::cli {

// Returns whether load_model takes the path for a model, rather than for a data set or a run.
bool is_model(const std::filesystem::path& path);

// Loads a model, and prints what an import does not keep. Throws as Model::load and import_model.
Model load_model(const std::filesystem::path& path, const LoadOptions& options);

// The same for a model that a run starts from. Throws as SourceModel::load and import_model.
SourceModel load_source(const std::filesystem::path& path,
                        const std::optional<std::filesystem::path>& spec = std::nullopt);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_LOAD_MODEL_H_
