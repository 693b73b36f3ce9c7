#ifndef HALFSTEP_CLI_MODEL_PATH_H_
#define HALFSTEP_CLI_MODEL_PATH_H_

#include <filesystem>

namespace halfstep::cli {

// Returns the model that a path given for a model means: for the folder of a run its newest model,
// saying on stderr which if the run has not finished (and if `says`); any other path as it is.
// Throws ConfigError for a run without a model.
std::filesystem::path model_path(const std::filesystem::path& path, bool says = true);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_MODEL_PATH_H_
