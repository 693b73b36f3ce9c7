// The flags of `halfstep evaluate`.
#ifndef HALFSTEP_CLI_EVALUATE_FLAGS_H_
#define HALFSTEP_CLI_EVALUATE_FLAGS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/sampling_flags.h"

namespace halfstep::cli {

struct EvaluateFlags {
  std::vector<std::filesystem::path> samples;
  bool samples_test = false;
  std::filesystem::path reference;
  bool reference_test = false;
  std::optional<int64_t> image_size;
  bool skip_broken = false;
  std::filesystem::path features;
  std::vector<std::string> metrics = {"frechet"};
  int64_t num = 50'000;
  uint64_t first_seed = 0;
  std::vector<int64_t> steps;
  std::vector<std::string> samplers;   // none: the model's
  std::vector<std::string> variances;  // none: the model's
  std::vector<std::string> spacings = {"time"};
  SamplingFlags sampling;
  std::optional<std::filesystem::path> moments;
  std::optional<std::filesystem::path> json_file;
  std::optional<std::filesystem::path> html;
  ComputeFlags compute;

  void add_to(CLI::App& command);

 private:
  void add_data_flags(CLI::App& command);
  void add_sampling_flags(CLI::App& command);
  void add_output_flags(CLI::App& command);
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_EVALUATE_FLAGS_H_
