#include "halfstep/metrics/evaluation.h"

#include <algorithm>
#include <limits>

#include "halfstep/core/error.h"
#include "halfstep/io/array.h"
#include "halfstep/metrics/class_agreement.h"
#include "halfstep/metrics/frechet.h"
#include "halfstep/metrics/inception_score.h"
#include "halfstep/metrics/random_order.h"

namespace halfstep::metrics {
namespace {

constexpr int64_t kFidImages = 50'000;
constexpr int64_t kFewestReferenceImages = 10'000;  // recommended by the authors of FID

void require_features(const FeatureSet& set, Metric metric, const char* which) {
  if (set.has_features()) return;
  throw ConfigError("evaluate", std::string(which) + ": expected images, because " +
                                    std::string(name_of(metric)) +
                                    " needs the features of each, received moments");
}

Tensor logits_of(const FeatureSet& samples, Metric metric) {
  Tensor logits = samples.logits();
  if (logits.defined()) return logits;
  throw ConfigError(name_of(metric),
                    "features: expected a network with a classifier, received one without");
}

MeanDeviation score_of(const FeatureSet& samples, const EvaluationOptions& options) {
  const Tensor logits = logits_of(samples, Metric::inception_score);
  const int64_t count = logits.size(0);
  return inception_score(logits, random_order(count, options.kid.seed, 0, count), options.splits);
}

double agreement_of(const FeatureSet& samples) {
  if (!samples.labels().defined()) {
    throw ConfigError(name_of(Metric::agreement),
                      "samples: expected the classes that they were conditioned on, received none");
  }
  return class_agreement(logits_of(samples, Metric::agreement), samples.labels());
}

MeanDeviation kid_of(const FeatureSet& samples, const FeatureSet& reference,
                     SubsetOptions options) {
  options.size = std::min({options.size, samples.count(), reference.count()});
  return kernel_distance(samples.features(), reference.features(),
                         random_subsets(samples.count(), reference.count(), options));
}

}  // namespace

void validate(const EvaluationOptions& options) {
  constexpr int64_t kMost = 10'000'000;
  if (options.num < 2 || options.num > kMost) {
    throw ConfigError("evaluate", "num: expected 2 to " + std::to_string(kMost) + ", received " +
                                      std::to_string(options.num));
  }
  const uint64_t most = std::numeric_limits<uint64_t>::max() - static_cast<uint64_t>(options.num);
  if (options.first_seed > most) {
    throw ConfigError("evaluate", "first_seed: expected at most " + std::to_string(most) +
                                      ", received " + std::to_string(options.first_seed));
  }
}

bool needs_features(const std::vector<Metric>& metrics) {
  return std::ranges::any_of(metrics, [](Metric metric) { return metric != Metric::frechet; });
}

bool needs_classifier(Metric metric) {
  return metric == Metric::inception_score || metric == Metric::agreement;
}

std::optional<Metric> needs_reference_features(const std::vector<Metric>& metrics) {
  const auto found = std::ranges::find_if(metrics, [](Metric metric) {
    return metric == Metric::kid || metric == Metric::precision_recall;
  });
  return found == metrics.end() ? std::nullopt : std::optional(*found);
}

void require_same_image_shape(const std::string& name, const std::vector<int64_t>& samples,
                              const std::vector<int64_t>& reference) {
  if (samples.empty() || reference.empty() || samples == reference) return;
  throw ConfigError(name, "expected images of the reference's shape " + io::to_string(reference) +
                              ", received " + io::to_string(samples) +
                              "; --image-size crops and resizes images of files");
}

Evaluation evaluate(const FeatureSet& samples, const FeatureSet& reference,
                    const EvaluationOptions& options) {
  require_same_image_shape("samples", samples.image_shape(), reference.image_shape());
  Evaluation result;
  for (const Metric metric : options.metrics) {
    if (metric == Metric::frechet) {
      result.frechet = frechet_distance(samples.moments(), reference.moments());
      continue;
    }
    require_features(samples, metric, "samples");
    if (metric == Metric::inception_score) {
      result.inception_score = score_of(samples, options);
      continue;
    }
    if (metric == Metric::agreement) {
      result.agreement = agreement_of(samples);
      continue;
    }
    require_features(reference, metric, "reference");
    if (metric == Metric::precision_recall) {
      result.precision_recall =
          precision_recall(samples.features(), reference.features(), options.neighbours);
    } else {
      result.kid = kid_of(samples, reference, options.kid);
    }
  }
  return result;
}

std::string frechet_name(const FeatureSpec& network, int64_t num_samples, int64_t num_reference) {
  const bool enough = num_reference == 0 || num_reference >= kFewestReferenceImages;
  if (network.defines_fid && num_samples == kFidImages && enough) return "FID";
  return "FD-" + network.name;
}

}  // namespace halfstep::metrics
