#include "halfstep/metrics/evaluate.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/array.h"
#include "halfstep/io/quote.h"
#include "halfstep/metrics/extract_features.h"
#include "halfstep/metrics/restoration_quality.h"

namespace halfstep::metrics {
namespace {

using Clock = std::chrono::steady_clock;

FeatureSet features_of(const ImageSource& images, const FeatureNetwork& network,
                       const EvaluationOptions& options, const EvaluationContext& context,
                       bool keep = false) {
  parallel::SingleProcess alone;
  parallel::ProcessGroup& group = context.group ? *context.group : alone;
  const auto progress = [&](int64_t done) {
    if (context.progress) context.progress(done, images.count);
  };
  return extract_features(group, network, keep || needs_features(options.metrics), images,
                          progress);
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
  result.agreement = found.agreement;
}

void require_num(const EvaluationOptions& options) {
  if (options.num >= 2) return;
  throw ConfigError("evaluate",
                    "num: expected at least 2, received " + std::to_string(options.num));
}

void require_count(const std::string& name, int64_t count, int64_t fewest) {
  if (count >= fewest) return;
  throw ConfigError(name, "expected at least " + std::to_string(fewest) +
                              " images for these metrics, received " + std::to_string(count));
}

void require_channels(const std::string& name, const std::vector<int64_t>& shape,
                      const FeatureSpec& network) {
  const int64_t channels = network.in_channels;
  if (channels == 0 || shape[0] == channels || (shape[0] == 1 && channels == 3)) return;
  throw ConfigError(name, "expected images of " + std::to_string(channels) + " channels, which " +
                              network.name + " takes, received " + io::to_string(shape));
}

// Returns the images, each of which is compared with its original when it is read.
ImageSource compared(ImageSource images, const ImageSource& originals, RestorationSums& sums) {
  images.read = [read = std::move(images.read), of_originals = originals.read, &sums](
                    int64_t first, int64_t size) {
    Tensor some = read(first, size);
    sums.add(some, of_originals(first, size));
    return some;
  };
  return images;
}

// Evaluates samples, which are restored originals if there are some.
EvaluationResult evaluate_all(const ImageSource& samples,
                              const std::optional<ImageSource>& originals,
                              const FeatureSet& reference, const FeatureNetwork& network,
                              const EvaluationOptions& options, const EvaluationContext& context) {
  const Clock::time_point begin = Clock::now();
  require_num(options);
  require_same_image_shape("samples", samples.shape, reference.image_shape());
  require_classes("samples", samples.num_classes, network, options);
  ImageSource chosen = random_subset(samples, options.num, options.first_seed);
  RestorationSums sums;
  if (originals) chosen = compared(std::move(chosen), *originals, sums);
  FeatureSet set = features_of(chosen, network, options, context, originals.has_value());
  EvaluationResult result{.num = set.count()};
  result.frechet_name = frechet_name(network.spec(), set.count(), reference.count());
  if (samples.count > options.num) {
    result.chosen_from = samples.count;
    result.subset_seed = options.first_seed;
  }
  if (!context.group || context.group->is_rank_zero()) {
    const bool labelled = std::ranges::count(options.metrics, Metric::agreement) > 0;
    if (labelled) set.set_labels(chosen.labels(0, chosen.count));
    add_metrics(evaluate(set, reference, options), result);
  }
  if (originals) {
    ImageSource restored = *originals;
    restored.count = chosen.count;
    const FeatureSet whole = features_of(restored, network, options, context, true);
    parallel::SingleProcess alone;
    sums.sum_over(context.group ? *context.group : alone);
    result.psnr = sums.mean_psnr();
    result.ssim = sums.mean_ssim();
    if (!context.group || context.group->is_rank_zero()) {
      result.feature_distance =
          feature_distance(set.features(), whole.features()).mean().item<double>();
    }
  }
  result.seconds = std::chrono::duration<double>(Clock::now() - begin).count();
  return result;
}

}  // namespace

void require_reference(const Reference& reference, const FeatureNetwork& network,
                       const EvaluationOptions& options) {
  require_num(options);
  if (uses_moments(reference, network, options)) return;
  const std::optional<Metric> metric = needs_reference_features(options.metrics);
  require_count(reference.name, reference.images->count,
                metric == Metric::precision_recall ? options.neighbours + 1 : 2);
  require_channels(reference.name, reference.images->shape, network.spec());
}

void require_samples(const std::string& name, int64_t count, const std::vector<int64_t>& shape,
                     const Reference& reference, const FeatureNetwork& network,
                     const EvaluationOptions& options) {
  require_num(options);
  int64_t fewest = 2;
  for (const Metric metric : options.metrics) {
    if (metric == Metric::precision_recall) fewest = std::max(fewest, options.neighbours + 1);
    if (metric == Metric::inception_score) fewest = std::max(fewest, options.splits);
    if (needs_classifier(metric) && network.spec().num_logits == 0) {
      throw ConfigError(name_of(metric),
                        "features: expected a network with a classifier, received " +
                            network.spec().name + ", which has none");
    }
  }
  require_count(name, std::min(count, options.num), fewest);
  require_channels(name, shape, network.spec());
  if (uses_moments(reference, network, options)) return;
  require_same_image_shape(name, shape, reference.images->shape);
}

void require_classes(const std::string& name, std::optional<int64_t> num_classes,
                     const FeatureNetwork& network, const EvaluationOptions& options) {
  if (std::ranges::find(options.metrics, Metric::agreement) == options.metrics.end()) return;
  const int64_t expected = network.spec().num_logits;
  if (num_classes.value_or(expected) == expected) return;
  throw ConfigError(name, "expected samples of the " + std::to_string(expected) + " classes that " +
                              network.spec().name +
                              " predicts, because agreement compares the two, received " +
                              (*num_classes == 0 ? "samples without classes"
                                                 : std::to_string(*num_classes) + " classes"));
}

std::string difference_of_classes(const ModelSpec& spec, const Reference& reference) {
  const std::vector<std::string>& of_model = spec.class_names;
  if (!reference.images || of_model.empty() || reference.images->class_names.empty()) return "";
  const std::vector<std::string>& of_reference = reference.images->class_names;
  if (of_model == of_reference) return "";
  const auto missing = [](const std::vector<std::string>& names,
                          const std::vector<std::string>& others) {
    return std::ranges::find_if(names, [&](const std::string& name) {
      return std::ranges::find(others, name) == others.end();
    });
  };
  if (const auto name = missing(of_model, of_reference); name != of_model.end())
    return "the model has a class " + io::quote(*name) + ", which " + reference.name + " lacks";
  if (const auto name = missing(of_reference, of_model); name != of_reference.end())
    return reference.name + " has a class " + io::quote(*name) + ", which the model lacks";
  return "";
}

FeatureSet reference_features(const Reference& reference, const FeatureNetwork& network,
                              const EvaluationOptions& options, const EvaluationContext& context) {
  require_reference(reference, network, options);
  if (uses_moments(reference, network, options)) return FeatureSet(*reference.moments);
  return features_of(*reference.images, network, options, context);
}

EvaluationResult evaluate(const ImageSource& samples, const FeatureSet& reference,
                          const FeatureNetwork& network, const EvaluationOptions& options,
                          const EvaluationContext& context) {
  return evaluate_all(samples, std::nullopt, reference, network, options, context);
}

EvaluationResult evaluate(const Model& model, const GenerateOptions& sampling,
                          const FeatureSet& reference, const FeatureNetwork& network,
                          const EvaluationOptions& options, const EvaluationContext& context,
                          const std::optional<ImageSource>& originals) {
  const bool restores = model.spec().condition.is_on();
  const ImageSource samples =
      images_of_model(model, sampling, options.num, options.first_seed, originals);
  EvaluationResult result = evaluate_all(samples, restores ? originals : std::nullopt, reference,
                                         network, options, context);
  const SampleOptions sample = sample_options(sampling, model.spec());
  const Sampler sampler = sample.sampler;
  const int64_t steps = sampling.num_steps.value_or(model.spec().sampling.num_steps);
  const double guidance = guidance_of(sampling, model.spec());
  result.steps = steps;
  result.evaluations = network_calls(sampler, steps) * calls_per_prediction(sampling, model.spec());
  result.sampler = sampler;
  result.spacing = sampling.spacing;
  if (sampler == Sampler::ancestral) result.variance = sample.variance;
  if (guidance != 1.0) result.guidance = guidance;
  result.made_for_steps = model.spec().sampling.num_steps;
  result.first_seed = options.first_seed;
  return result;
}

}  // namespace halfstep::metrics
