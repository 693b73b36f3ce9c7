#ifndef HALFSTEP_CLI_INPUT_FLAGS_H_
#define HALFSTEP_CLI_INPUT_FLAGS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "cli/command.h"
#include "halfstep/model/generate.h"

namespace halfstep::cli {

// The flags of the images that a model restores.
class InputFlags {
 public:
  void add_to(CLI::App& command);

  bool is_given() const { return input_.has_value(); }

  // Reads what is known of the images, one per seed; without seeds, those of all images are written
  // to `seeds`. Throws ConfigError if the flags do not suit the model, and as
  // metrics::read_known() does.
  KnownImages read(const ModelSpec& spec, std::vector<uint64_t>& seeds) const;

 private:
  std::optional<std::filesystem::path> input_;
  std::optional<std::filesystem::path> mask_;
  bool degrade_ = false;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_INPUT_FLAGS_H_
