// Evaluates the unfinished models of a run:
//
//   metrics::RunEvaluator evaluator("models/features/resnet20-fashion.safetensors");
//   UpdateOptions update = default_distill_update();
//   update.evaluate_every = 200;
//   distill(teacher, data, {.start_steps = 32, .end_steps = 4}, update, {.evaluator = &evaluator});
#ifndef HALFSTEP_METRICS_RUN_EVALUATOR_H_
#define HALFSTEP_METRICS_RUN_EVALUATOR_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "halfstep/metrics/feature_network.h"
#include "halfstep/metrics/feature_set.h"
#include "halfstep/metrics/image_source.h"
#include "halfstep/metrics/mean_deviation.h"
#include "halfstep/train/evaluator.h"

namespace halfstep::metrics {

// Computes the distance that `evaluate` does, between samples and the data set of the run, whose
// moments are computed once per session and kept in memory. One evaluator serves one run at a time.
class RunEvaluator final : public Evaluator {
 public:
  // Of a larger data set, this many images are compared with, chosen at random.
  static constexpr int64_t kMostReference = 100'000;

  // Loads the feature network. Throws as load_feature_network() does.
  explicit RunEvaluator(const std::filesystem::path& features);

  std::filesystem::path features() const override { return features_; }
  std::string features_sha256() const override { return sha256_; }
  std::string begin(parallel::ProcessGroup& group, std::shared_ptr<const data::Dataset> dataset,
                    const ModelSpec& spec, int64_t num, const c10::Device& device) override;
  Quality evaluate(const Model& model) override;

 private:
  std::filesystem::path features_;
  std::unique_ptr<FeatureNetwork> network_;
  std::string sha256_;
  parallel::ProcessGroup* group_ = nullptr;
  int64_t num_ = 0;
  std::optional<FeatureSet> reference_;
  std::optional<ImageSource> originals_;  // that the model restores, if it restores images
  MeanDeviation data_;                    // pixels
};

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_RUN_EVALUATOR_H_
