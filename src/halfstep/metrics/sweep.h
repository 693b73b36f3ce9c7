// The ways to sample one model that an evaluation compares.
#ifndef HALFSTEP_METRICS_SWEEP_H_
#define HALFSTEP_METRICS_SWEEP_H_

#include <cstdint>
#include <vector>

#include "halfstep/diffusion/sample.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"

namespace halfstep::metrics {

struct Sweep {
  std::vector<int64_t> steps = {};     // empty: the model's own number of steps
  std::vector<Sampler> samplers = {};  // empty: the sampler that the model was made for
  std::vector<double> variances = {};  // of the ancestral sampler; empty: the model's
  std::vector<Spacing> spacings = {Spacing::time};
};

// Returns the options of all combinations: for each sampler (and each variance of the ancestral
// one), each spacing, each number of steps. Everything else is as in `base`. A distilled model is
// sampled with its own number of steps unless base.force_steps is set. Throws ConfigError for a
// combination that does not fit the model.
std::vector<GenerateOptions> combinations(const Sweep& sweep, const GenerateOptions& base,
                                          const ModelSpec& spec);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_SWEEP_H_
