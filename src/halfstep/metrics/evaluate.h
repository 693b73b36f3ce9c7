// Evaluates a model, or a set of images, against a reference in one call:
//
//   const EvaluationOptions options{.metrics = {Metric::frechet}, .num = 5000};
//   const auto network = load_feature_network("resnet20.safetensors");
//   const FeatureSet reference = reference_features(
//       open_reference("fashion-mnist", data::DatasetOptions::Split::train), *network, options);
//   const EvaluationResult result =
//       evaluate(model, {.num_steps = 8}, reference, *network, options);
#ifndef HALFSTEP_METRICS_EVALUATE_H_
#define HALFSTEP_METRICS_EVALUATE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <variant>

#include "halfstep/data/dataset.h"
#include "halfstep/metrics/evaluation.h"
#include "halfstep/metrics/evaluation_result.h"
#include "halfstep/metrics/feature_network.h"
#include "halfstep/metrics/image_source.h"
#include "halfstep/metrics/moments.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::metrics {

// What samples are compared with: images, or just the moments of their features.
using Reference = std::variant<ImageSource, Moments>;

// Opens an .npz file of moments (mu, sigma) or of images (arr_0), or a data set. Throws as
// read_moments and open_images do.
Reference open_reference(const std::filesystem::path& path, data::DatasetOptions::Split split);

// The processes that share the work, and how progress is reported.
struct EvaluationContext {
  parallel::ProcessGroup* group = nullptr;  // nullptr: this process alone
  // Called on rank 0 after each batch.
  std::function<void(int64_t done, int64_t count)> progress = {};
};

// Returns the reference's features as far as the metrics need them. With several processes every
// rank calls this, and only rank 0 gets the features.
FeatureSet reference_features(const Reference& reference, const FeatureNetwork& network,
                              const EvaluationOptions& options,
                              const EvaluationContext& context = {});

// Evaluates the first options.num images of a source. With several processes every rank makes the
// call, and only rank 0 gets the metrics. Throws ConfigError as the other evaluate() does, before
// any image is read if the shapes differ.
EvaluationResult evaluate(const ImageSource& samples, const FeatureSet& reference,
                          const FeatureNetwork& network, const EvaluationOptions& options,
                          const EvaluationContext& context = {});

// Draws options.num images from the model for seeds options.first_seed, first_seed + 1, ... and
// evaluates them. The model and the network must be on their devices already. Throws ConfigError
// also if the model does not produce images or if `sampling` does not fit it.
EvaluationResult evaluate(const Model& model, const GenerateOptions& sampling,
                          const FeatureSet& reference, const FeatureNetwork& network,
                          const EvaluationOptions& options, const EvaluationContext& context = {});

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_EVALUATE_H_
