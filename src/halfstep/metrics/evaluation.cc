#include "halfstep/metrics/evaluation.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/metrics/frechet.h"
#include "halfstep/metrics/inception_score.h"
#include "halfstep/metrics/random_order.h"

namespace halfstep {
namespace {

constexpr int64_t kFidImages = 50'000;

void require_features(const FeatureSet& set, Metric metric, const char* which) {
  if (set.has_features()) return;
  throw ConfigError(name_of(metric), std::string(which) +
                                         ": expected images, for this metric needs the features of "
                                         "each, received moments");
}

}  // namespace

FeatureSet::FeatureSet(const FeatureNetwork& network, bool keep_features)
    : network_(&network), keep_(keep_features), sum_(network.spec().num_features) {}

FeatureSet::FeatureSet(Moments moments) : moments_(std::move(moments)) {}

void FeatureSet::add(const Tensor& images) {
  if (!network_) throw ConfigError("FeatureSet", "expected a set of images, received moments");
  add((*network_)(images));
}

void FeatureSet::add(const Features& found) {
  if (!sum_) throw ConfigError("FeatureSet", "expected a set of images, received moments");
  sum_->add(found.features);
  if (!keep_) return;
  features_.push_back(found.features.cpu());
  if (found.logits.defined()) logits_.push_back(found.logits.cpu());
}

int64_t FeatureSet::count() const { return sum_ ? sum_->count() : moments_.count; }

Moments FeatureSet::moments() const { return sum_ ? sum_->moments() : moments_; }

Tensor FeatureSet::features() const { return at::cat(features_); }

Tensor FeatureSet::logits() const { return logits_.empty() ? Tensor() : at::cat(logits_); }

Evaluation evaluate(const FeatureSet& samples, const FeatureSet& reference,
                    const EvaluationOptions& options) {
  Evaluation result;
  for (const Metric metric : options.metrics) {
    if (metric == Metric::frechet) {
      result.frechet = frechet_distance(samples.moments(), reference.moments());
      continue;
    }
    require_features(samples, metric, "samples");
    if (metric == Metric::inception_score) {
      const Tensor logits = samples.logits();
      if (!logits.defined()) {
        throw ConfigError(name_of(metric),
                          "features: expected a network with a classifier, received one without");
      }
      const int64_t count = logits.size(0);
      result.inception_score =
          inception_score(logits, random_order(count, options.kid.seed, 0, count), options.splits);
      continue;
    }
    require_features(reference, metric, "reference");
    if (metric == Metric::precision_recall) {
      result.precision_recall =
          precision_recall(samples.features(), reference.features(), options.neighbours);
    } else {
      SubsetOptions subsets = options.kid;
      subsets.size = std::min({subsets.size, samples.count(), reference.count()});
      result.kid = kernel_distance(samples.features(), reference.features(),
                                   random_subsets(samples.count(), reference.count(), subsets));
    }
  }
  return result;
}

std::string frechet_name(const FeatureSpec& network, int64_t num_samples) {
  if (network.name == "Inception" && num_samples == kFidImages) return "FID";
  return "FD-" + network.name;
}

}  // namespace halfstep
