// Evaluates a model, or a set of images, against a reference in one call:
//
//   const EvaluationOptions options{.metrics = {Metric::frechet}, .num = 5000};
//   const auto network = load_feature_network("resnet20.safetensors");
//   const FeatureSet reference = reference_features(
//       open_reference("fashion-mnist"), *network, options);
//   const EvaluationResult result =
//       evaluate(model, {.num_steps = 8}, reference, *network, options);
#ifndef HALFSTEP_METRICS_EVALUATE_H_
#define HALFSTEP_METRICS_EVALUATE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/metrics/evaluation.h"
#include "halfstep/metrics/evaluation_result.h"
#include "halfstep/metrics/feature_network.h"
#include "halfstep/metrics/image_source.h"
#include "halfstep/metrics/reference.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::metrics {

// Throw ConfigError for whatever of an evaluation can be known to be wrong before an image is read
// or drawn: options out of range, moments that are of another network or do not suffice, images of
// a wrong shape or number, a metric that needs a classifier. The first judges the reference alone,
// the second judges `count` samples of shape [C, H, W] (fewer if options.num is smaller), which
// messages call `name`.
void require_reference(const Reference& reference, const FeatureNetwork& network,
                       const EvaluationOptions& options);
void require_samples(const std::string& name, int64_t count, const std::vector<int64_t>& shape,
                     const Reference& reference, const FeatureNetwork& network,
                     const EvaluationOptions& options);

// Throws ConfigError, calling the samples `name`, if their classes are needed and do not fit the
// network's: the samples have no classes (num_classes 0) or another number of them. nullopt is a
// number that is not known.
void require_classes(const std::string& name, std::optional<int64_t> num_classes,
                     const FeatureNetwork& network, const EvaluationOptions& options);

// Returns a sentence about a class that the model was trained on and the reference does not have,
// or the other way round, by name; empty if there is none, or if either has no names. Their
// distance is then partly that of other classes.
std::string difference_of_classes(const ModelSpec& spec, const Reference& reference);

// The processes that share the work, and how progress is reported.
struct EvaluationContext {
  parallel::ProcessGroup* group = nullptr;  // nullptr: this process alone
  // Called on rank 0 after each batch.
  std::function<void(int64_t done, int64_t count)> progress = {};
};

// Returns the reference's features as far as the metrics need them: its moments if uses_moments(),
// else the features of its images. With several processes every rank calls this, and only rank 0
// gets the features. Throws ConfigError as require_reference() does.
FeatureSet reference_features(const Reference& reference, const FeatureNetwork& network,
                              const EvaluationOptions& options,
                              const EvaluationContext& context = {});

// Evaluates options.num images of a source, chosen by random_subset() if it has more. With several
// processes every rank makes the call, and only rank 0 gets the metrics. Throws ConfigError as the
// other evaluate() does, before any image is read if the shapes differ.
EvaluationResult evaluate(const ImageSource& samples, const FeatureSet& reference,
                          const FeatureNetwork& network, const EvaluationOptions& options,
                          const EvaluationContext& context = {});

// Draws options.num images from the model for seeds options.first_seed, first_seed + 1, ... and
// evaluates them. A model that restores images is given what is known of the first options.num of
// `originals`, which the restored images are compared with, too. The model and the network must be
// on their devices already. Throws ConfigError also as images_of_model() does.
EvaluationResult evaluate(const Model& model, const GenerateOptions& sampling,
                          const FeatureSet& reference, const FeatureNetwork& network,
                          const EvaluationOptions& options, const EvaluationContext& context = {},
                          const std::optional<ImageSource>& originals = std::nullopt);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_EVALUATE_H_
