#include "cli/outputs.h"

#include <map>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/require_writable.h"

namespace halfstep::cli {

void require_outputs(std::initializer_list<Output> outputs) {
  std::map<std::filesystem::path, const char*> flags;
  for (const Output& output : outputs) {
    if (!output.path) continue;
    const auto [other, is_new] = flags.emplace(output.path->lexically_normal(), output.flag);
    if (!is_new && !output.path->native().starts_with("/dev/")) {
      throw ConfigError(output.flag, "expected another path than that of " +
                                         std::string(other->second) + ", received " +
                                         output.path->string());
    }
    try {
      if (output.is_folder) {
        io::require_writable_folder(*output.path);
      } else {
        io::require_writable_file(*output.path);
      }
    } catch (const IoError& error) {
      throw IoError(output.flag, error.text());
    }
  }
}

}  // namespace halfstep::cli
