// The features of a set of images.
#ifndef HALFSTEP_METRICS_FEATURE_SET_H_
#define HALFSTEP_METRICS_FEATURE_SET_H_

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/metrics/feature_network.h"
#include "halfstep/metrics/moments.h"

namespace halfstep::metrics {

// Accumulates the features of images batch by batch. The moments alone suffice for the Fréchet
// distance; every other metric needs the features themselves, which take 4 D bytes per image.
class FeatureSet {
 public:
  // An empty set, to which images of `image_shape` [C, H, W] are added (empty: of any shape). The
  // network must outlive it.
  FeatureSet(const FeatureNetwork& network, bool keep_features,
             std::vector<int64_t> image_shape = {});
  // Moments without features, such as from a file.
  explicit FeatureSet(Moments moments);

  void add(const Tensor& images);      // uint8 [B, C, H, W]
  void add(const Features& features);  // computed by the set's network
  // Says which classes the images were conditioned on: int64 [N].
  void set_labels(Tensor labels) { labels_ = std::move(labels); }

  int64_t count() const;  // number of images; 0 if unknown
  const std::vector<int64_t>& image_shape() const { return image_shape_; }  // empty if unknown
  Moments moments() const;
  const Tensor& labels() const { return labels_; }  // undefined if unknown
  bool has_features() const { return keep_; }
  // The next two need has_features().
  Tensor features() const;  // float32 [N, D], on the CPU
  Tensor logits() const;    // float32 [N, classes]; undefined if the network has no classifier

 private:
  const FeatureNetwork* network_ = nullptr;
  bool keep_ = false;
  std::vector<int64_t> image_shape_;
  std::optional<MomentsSum> sum_;
  Moments moments_;
  std::vector<Tensor> features_, logits_;
  Tensor labels_;
};

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_FEATURE_SET_H_
