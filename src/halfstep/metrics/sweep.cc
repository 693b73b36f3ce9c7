#include "halfstep/metrics/sweep.h"

#include <optional>

namespace halfstep::metrics {
namespace {

std::vector<SampleOptions> samplers_of(const Sweep& sweep, SampleOptions own) {
  std::vector<SampleOptions> all;
  SampleOptions options = own;
  for (const Sampler sampler : sweep.samplers.empty() ? std::vector{own.sampler} : sweep.samplers) {
    options.sampler = sampler;
    for (const double variance :
         sweep.variances.empty() ? std::vector{own.variance} : sweep.variances) {
      options.variance = variance;
      all.push_back(options);
      if (sampler != Sampler::ancestral) break;  // the others add no noise
    }
  }
  return all;
}

std::vector<std::optional<int64_t>> steps_for(const Sweep& sweep, bool force_steps,
                                              const ModelSpec& spec) {
  const bool own = spec.sampling.is_distilled() && !force_steps;
  if (own || sweep.steps.empty()) return {std::nullopt};
  return {sweep.steps.begin(), sweep.steps.end()};
}

}  // namespace

std::vector<GenerateOptions> combinations(const Sweep& sweep, const GenerateOptions& base,
                                          const ModelSpec& spec) {
  std::vector<GenerateOptions> all;
  GenerateOptions options = base;
  for (const SampleOptions& sample : samplers_of(sweep, sample_options(base, spec))) {
    options.sampler = sample.sampler;
    options.variance = sample.variance;
    for (const Spacing spacing : sweep.spacings) {
      options.spacing = spacing;
      for (const std::optional<int64_t>& steps : steps_for(sweep, base.force_steps, spec)) {
        options.num_steps = steps;
        validate(options, spec);
        all.push_back(options);
      }
    }
  }
  return all;
}

}  // namespace halfstep::metrics
