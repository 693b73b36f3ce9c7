// From two sets of images to all that is measured between them.
#ifndef HALFSTEP_METRICS_EVALUATION_H_
#define HALFSTEP_METRICS_EVALUATION_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"
#include "halfstep/metrics/feature_network.h"
#include "halfstep/metrics/kernel_distance.h"
#include "halfstep/metrics/mean_deviation.h"
#include "halfstep/metrics/moments.h"
#include "halfstep/metrics/precision_recall.h"

namespace halfstep {

enum class Metric { frechet, kid, inception_score, precision_recall };

template <>
struct EnumNames<Metric> {
  static constexpr auto kNames =
      std::to_array<std::pair<Metric, std::string_view>>({{Metric::frechet, "frechet"},
                                                          {Metric::kid, "kid"},
                                                          {Metric::inception_score, "is"},
                                                          {Metric::precision_recall, "pr"}});
};

// The features of a set of images. Moments alone are enough for the Fréchet distance; every other
// metric needs the features themselves, 4 D bytes an image.
class FeatureSet {
 public:
  // Empty, of images to come.
  FeatureSet(const FeatureNetwork& network, bool keep_features);
  // Moments from a file, and nothing else.
  explicit FeatureSet(Moments moments);

  void add(const Tensor& images);   // uint8 [B, C, H, W]
  void add(const Features& found);  // of images, by the set's network

  int64_t count() const;  // 0: not known
  Moments moments() const;
  bool has_features() const { return keep_; }
  Tensor features() const;  // float32 [N, D]
  Tensor logits() const;    // float32 [N, classes]; undefined where the network has none

 private:
  const FeatureNetwork* network_ = nullptr;
  bool keep_ = false;
  std::optional<MomentsSum> sum_;
  Moments moments_;
  std::vector<Tensor> features_, logits_;
};

struct EvaluationOptions {
  std::vector<Metric> metrics = {Metric::frechet};
  SubsetOptions kid;  // its size is cut to the number of images
  int64_t splits = 10;
  int64_t neighbours = 3;
};

struct Evaluation {
  std::optional<double> frechet;
  std::optional<MeanDeviation> kid;
  std::optional<MeanDeviation> inception_score;
  std::optional<PrecisionRecall> precision_recall;
};

// Throws ConfigError where a metric needs features or logits that a set lacks.
Evaluation evaluate(const FeatureSet& samples, const FeatureSet& reference,
                    const EvaluationOptions& options);

// "FID" for Inception and 50,000 samples, the only numbers that compare with published ones;
// otherwise "FD-" and the network's name.
std::string frechet_name(const FeatureSpec& network, int64_t num_samples);

// Fewer images than 4 for each feature leave the covariance poorly known, and the Fréchet distance
// too large by an amount that depends on their number.
inline bool too_few_images(int64_t count, int64_t num_features) {
  return count > 0 && count < 4 * num_features;
}

}  // namespace halfstep

#endif  // HALFSTEP_METRICS_EVALUATION_H_
