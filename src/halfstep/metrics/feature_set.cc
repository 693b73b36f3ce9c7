#include "halfstep/metrics/feature_set.h"

#include <ATen/Functions.h>

#include <utility>

#include "halfstep/core/error.h"

namespace halfstep::metrics {

FeatureSet::FeatureSet(const FeatureNetwork& network, bool keep_features,
                       std::vector<int64_t> image_shape)
    : network_(&network),
      keep_(keep_features),
      image_shape_(std::move(image_shape)),
      sum_(network.spec().num_features) {}

FeatureSet::FeatureSet(Moments moments) : moments_(std::move(moments)) {}

void FeatureSet::add(const Tensor& images) {
  if (!network_) throw ConfigError("FeatureSet", "expected a set of images, received moments");
  add((*network_)(images));
}

void FeatureSet::add(const Features& features) {
  if (!sum_) throw ConfigError("FeatureSet", "expected a set of images, received moments");
  sum_->add(features.features);
  if (!keep_) return;
  features_.push_back(features.features.cpu());
  if (features.logits.defined()) logits_.push_back(features.logits.cpu());
}

int64_t FeatureSet::count() const { return sum_ ? sum_->count() : moments_.count; }

Moments FeatureSet::moments() const {
  if (!sum_) return moments_;
  Moments moments = sum_->moments();
  moments.features = network_->spec().name;
  return moments;
}

Tensor FeatureSet::features() const { return at::cat(features_); }

Tensor FeatureSet::logits() const { return logits_.empty() ? Tensor() : at::cat(logits_); }

}  // namespace halfstep::metrics
