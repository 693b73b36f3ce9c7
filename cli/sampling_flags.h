#ifndef HALFSTEP_CLI_SAMPLING_FLAGS_H_
#define HALFSTEP_CLI_SAMPLING_FLAGS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "halfstep/core/enum_names.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"

namespace halfstep::cli {

// Parses --variance: "small" is 0, "large" is 1, and a fraction interpolates between them. Throws
// ConfigError for anything else.
double parse_variance(const std::string& text);

// Parses the values of a flag that takes several names. Throws ConfigError for an unknown one.
template <NamedEnum E>
std::vector<E> enums_of(const std::vector<std::string>& words, const char* flag) {
  std::vector<E> values;
  for (const std::string& word : words) values.push_back(enum_of<E>(word, flag));
  return values;
}

// The sampling flags that `sample` and `evaluate` share. Steps, sampler, variance and spacing are
// not among them: `sample` takes one value of each, `evaluate` takes several.
class SamplingFlags {
 public:
  void add_to(CLI::App& command);

  // Returns the precision of --precision. Throws ConfigError for an unknown one.
  PrecisionChoice precision() const;
  // Loads the model to the device, in the precision of --precision.
  Model load(const std::filesystem::path& path, const c10::Device& device) const;
  // Returns the options of the flags. Throws ConfigError if --class names no class of the model.
  GenerateOptions options_for(const ModelSpec& spec) const;

 private:
  GenerateOptions options_;
  std::optional<std::string> class_name_;
  std::string precision_ = "auto";
  bool no_clip_ = false;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_SAMPLING_FLAGS_H_
