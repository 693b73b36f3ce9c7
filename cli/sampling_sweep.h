// The combinations of sampling options that `halfstep evaluate` measures for one model.
#ifndef HALFSTEP_CLI_SAMPLING_SWEEP_H_
#define HALFSTEP_CLI_SAMPLING_SWEEP_H_

#include <cstdint>
#include <optional>
#include <vector>

#include "cli/evaluate_flags.h"
#include "halfstep/model/generate.h"

namespace halfstep::cli {

class SamplingSweep {
 public:
  // Throws ConfigError if a flag names an unknown sampler, spacing or variance.
  explicit SamplingSweep(const EvaluateFlags& flags);

  // Returns every combination of the flags' values for a model, in the order sampler, variance,
  // spacing, steps. Only the ancestral sampler has variances, and a distilled model has its own
  // steps unless --force-steps is given. Throws ConfigError if the model does not support one.
  std::vector<GenerateOptions> combinations(const ModelSpec& spec) const;

 private:
  std::vector<SampleOptions> samplings(SampleOptions options) const;
  std::vector<std::optional<int64_t>> steps_for(const ModelSpec& spec) const;

  const SamplingFlags& sampling_;
  std::vector<int64_t> steps_;
  std::vector<Sampler> samplers_;
  std::vector<double> variances_;
  std::vector<Spacing> spacings_;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_SAMPLING_SWEEP_H_
