#ifndef HALFSTEP_CLI_OUTPUTS_H_
#define HALFSTEP_CLI_OUTPUTS_H_

#include <filesystem>
#include <initializer_list>
#include <optional>

namespace halfstep::cli {

// A flag that names what a command writes.
struct Output {
  const char* flag;
  std::optional<std::filesystem::path> path;
  bool is_folder = false;
};

// Checks the outputs that were given. A command calls this before its work. Throws IoError, which
// names the flag, for one that cannot be written, and ConfigError for two with the same path. Makes
// nothing.
void require_outputs(std::initializer_list<Output> outputs);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_OUTPUTS_H_
