// Distances between two sets of features.
#ifndef HALFSTEP_METRICS_EVALUATION_H_
#define HALFSTEP_METRICS_EVALUATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/metrics/feature_set.h"
#include "halfstep/metrics/kernel_distance.h"
#include "halfstep/metrics/mean_deviation.h"
#include "halfstep/metrics/precision_recall.h"

namespace halfstep::metrics {

enum class Metric { frechet, kid, inception_score, precision_recall, agreement };

}  // namespace halfstep::metrics

template <>
struct halfstep::EnumNames<halfstep::metrics::Metric> {
  using Metric = halfstep::metrics::Metric;
  static constexpr auto kNames =
      std::to_array<std::pair<Metric, std::string_view>>({{Metric::frechet, "frechet"},
                                                          {Metric::kid, "kid"},
                                                          {Metric::inception_score, "is"},
                                                          {Metric::precision_recall, "pr"},
                                                          {Metric::agreement, "agreement"}});
};

namespace halfstep::metrics {

struct EvaluationOptions {
  std::vector<Metric> metrics = {Metric::frechet};
  // `size` is reduced to the number of images if there are fewer. `seed` also orders the images of
  // the Inception Score.
  SubsetOptions kid;
  int64_t splits = 10;     // of the Inception Score
  int64_t neighbours = 3;  // k of precision and recall
  int64_t num = 50'000;    // number of images per set of samples, or all if there are fewer
  // Seed of the first image that is drawn from a model, and of the choice of `num` images from a
  // larger set.
  uint64_t first_seed = 0;
};

// Throws ConfigError that names the field unless num is from 2 to 10^7 and the seeds first_seed to
// first_seed + num - 1 fit 64 bits.
void validate(const EvaluationOptions& options);

// Returns whether any of the metrics needs the features of each image, not just their moments.
bool needs_features(const std::vector<Metric>& metrics);
// Returns whether a metric needs the network's classifier.
bool needs_classifier(Metric metric);
// Returns a metric that needs the features of each reference image; nullopt if moments suffice.
std::optional<Metric> needs_reference_features(const std::vector<Metric>& metrics);

struct Evaluation {
  std::optional<double> frechet;
  std::optional<MeanDeviation> kid;
  std::optional<MeanDeviation> inception_score;
  std::optional<PrecisionRecall> precision_recall;
  std::optional<double> agreement;  // class_agreement() of the samples
};

// Throws ConfigError, naming the samples, if images of these shapes [C, H, W] cannot be compared;
// an empty shape is unknown and fits any.
void require_same_image_shape(const std::string& name, const std::vector<int64_t>& samples,
                              const std::vector<int64_t>& reference);

// Computes the chosen metrics between two sets of features. Throws ConfigError if a set lacks the
// features, logits or labels that a metric needs, or if the two sets have images of different
// shapes.
Evaluation evaluate(const FeatureSet& samples, const FeatureSet& reference,
                    const EvaluationOptions& options);

// Returns "FID" for the features of Inception, 50,000 samples and at least 10,000 reference images
// (0: their number is unknown), the only numbers that are comparable with published ones. Returns
// "FD-" and the network's name otherwise.
std::string frechet_name(const FeatureSpec& network, int64_t num_samples, int64_t num_reference);

// Returns whether there are fewer than 4 images per feature. The covariance is then estimated so
// badly that the Fréchet distance comes out too large, by an amount that depends on `count`.
inline bool too_few_images(int64_t count, int64_t num_features) {
  return count > 0 && count < 4 * num_features;
}

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_EVALUATION_H_
