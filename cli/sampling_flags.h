#ifndef HALFSTEP_CLI_SAMPLING_FLAGS_H_
#define HALFSTEP_CLI_SAMPLING_FLAGS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/command.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"

namespace halfstep::cli {

// Of --variance: "small" is 0, "large" 1, a fraction lies between them. Throws ConfigError.
double parse_variance(const std::string& text);

// How a model's images are drawn, but for steps, sampler, variance and spacing, of which `sample`
// takes one and `evaluate` several.
class SamplingFlags {
 public:
  void add_to(CLI::App& command);

  bool force_steps() const { return options_.force_steps; }

  // The model on the device, in the precision asked for.
  Model load(const std::filesystem::path& path, const c10::Device& device) const;
  // Throws ConfigError for flags that the model does not know.
  GenerateOptions options_for(const ModelSpec& spec) const;

 private:
  GenerateOptions options_;
  std::optional<std::string> class_name_;
  std::string precision_ = "auto";
  bool no_clip_ = false;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_SAMPLING_FLAGS_H_
