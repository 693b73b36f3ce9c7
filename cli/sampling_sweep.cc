#include "cli/sampling_sweep.h"

#include <string>

namespace halfstep::cli {

SamplingSweep::SamplingSweep(const EvaluateFlags& flags)
    : sampling_(flags.sampling),
      steps_(flags.steps),
      samplers_(enums_of<Sampler>(flags.samplers, "--sampler")),
      spacings_(enums_of<Spacing>(flags.spacings, "--spacing")) {
  for (const std::string& word : flags.variances) variances_.push_back(parse_variance(word));
}

std::vector<GenerateOptions> SamplingSweep::combinations(const ModelSpec& spec) const {
  std::vector<GenerateOptions> all;
  GenerateOptions options = sampling_.options_for(spec);
  for (const SampleOptions& sample : samplings(options.sample)) {
    options.sample = sample;
    for (const Spacing spacing : spacings_) {
      options.spacing = spacing;
      for (const std::optional<int64_t>& steps : steps_for(spec)) {
        options.num_steps = steps;
        validate(options, spec);
        all.push_back(options);
      }
    }
  }
  return all;
}

std::vector<SampleOptions> SamplingSweep::samplings(SampleOptions options) const {
  std::vector<SampleOptions> all;
  for (const Sampler sampler : samplers_) {
    options.sampler = sampler;
    for (const double variance : variances_) {
      options.variance = variance;
      all.push_back(options);
      if (sampler != Sampler::ancestral) break;  // deterministic
    }
  }
  return all;
}

std::vector<std::optional<int64_t>> SamplingSweep::steps_for(const ModelSpec& spec) const {
  const bool own = spec.num_steps != 0 && !sampling_.force_steps();
  if (own || steps_.empty()) return {std::nullopt};
  return {steps_.begin(), steps_.end()};
}

}  // namespace halfstep::cli
