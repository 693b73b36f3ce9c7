#include "halfstep/metrics/evaluate.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/npy.h"
#include "halfstep/metrics/extract_features.h"

namespace halfstep::metrics {
namespace {

using Clock = std::chrono::steady_clock;

FeatureSet features_of(const ImageSource& images, const FeatureNetwork& network,
                       const EvaluationOptions& options, const EvaluationContext& context) {
  parallel::SingleProcess alone;
  parallel::ProcessGroup& group = context.group ? *context.group : alone;
  const auto progress = [&](int64_t done) {
    if (context.progress) context.progress(done, images.count);
  };
  return extract_features(group, network, needs_features(options.metrics), images, progress);
}

void add_metrics(const Evaluation& found, EvaluationResult& result) {
  result.frechet = found.frechet;
  if (found.kid) {
    result.kid = found.kid->mean;
    result.kid_std = found.kid->deviation;
  }
  if (found.inception_score) {
    result.inception_score = found.inception_score->mean;
    result.inception_score_std = found.inception_score->deviation;
  }
  if (found.precision_recall) {
    result.precision = found.precision_recall->precision;
    result.recall = found.precision_recall->recall;
  }
}

}  // namespace

Reference open_reference(const std::filesystem::path& path, data::DatasetOptions::Split split) {
  if (path.extension() != ".npz") return open_images(path, split);
  const std::map<std::string, io::Array> arrays = io::read_npz(path);
  if (arrays.contains("mu")) return moments_of(arrays, path.string());
  return images_of_npz(arrays, path.string());
}

FeatureSet reference_features(const Reference& reference, const FeatureNetwork& network,
                              const EvaluationOptions& options, const EvaluationContext& context) {
  if (const auto* moments = std::get_if<Moments>(&reference)) return FeatureSet(*moments);
  return features_of(std::get<ImageSource>(reference), network, options, context);
}

EvaluationResult evaluate(const ImageSource& samples, const FeatureSet& reference,
                          const FeatureNetwork& network, const EvaluationOptions& options,
                          const EvaluationContext& context) {
  const Clock::time_point begin = Clock::now();
  if (options.num < 2) {
    throw ConfigError("evaluate",
                      "num: expected at least 2, received " + std::to_string(options.num));
  }
  require_same_image_shape(samples.shape, reference.image_shape());
  ImageSource images = samples;
  images.count = std::min(images.count, options.num);
  const FeatureSet set = features_of(images, network, options, context);
  EvaluationResult result{.num = set.count()};
  if (!context.group || context.group->is_rank_zero())
    add_metrics(evaluate(set, reference, options), result);
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return result;
}

EvaluationResult evaluate(const Model& model, const GenerateOptions& sampling,
                          const FeatureSet& reference, const FeatureNetwork& network,
                          const EvaluationOptions& options, const EvaluationContext& context) {
  EvaluationResult result =
      evaluate(images_of_model(model, sampling, options.num, options.first_seed), reference,
               network, options, context);
  const SampleOptions sample = sample_options(sampling, model.spec());
  const Sampler sampler = sample.sampler;
  const int64_t steps = sampling.num_steps.value_or(model.spec().sampling.num_steps);
  const bool guided = sampling.guidance != 1.0;
  result.steps = steps;
  result.evaluations = network_calls(sampler, steps) * (guided ? 2 : 1);
  result.sampler = sampler;
  result.spacing = sampling.spacing;
  if (sampler == Sampler::ancestral) result.variance = sample.variance;
  if (guided) result.guidance = sampling.guidance;
  result.made_for_steps = model.spec().sampling.num_steps;
  result.first_seed = options.first_seed;
  return result;
}

}  // namespace halfstep::metrics
