#include "halfstep/metrics/run_evaluator.h"

#include <ATen/Functions.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <utility>

#include "halfstep/io/hash.h"
#include "halfstep/metrics/evaluate.h"
#include "halfstep/metrics/pixel_sums.h"

namespace halfstep::metrics {
namespace {

// Returns the images, each of which is added to `sums` when it is read. Batches whose model
// predicts numbers that are not finite are read as black, and noted: an exception in one process
// would leave the others waiting.
ImageSource watched(ImageSource images, PixelSums& sums, bool& not_finite) {
  images.read = [read = std::move(images.read), shape = images.shape, &sums, &not_finite](
                    int64_t first, int64_t size) {
    Tensor some;
    try {
      some = read(first, size);
    } catch (const NotFiniteError&) {
      not_finite = true;
      some = at::zeros({size, shape[0], shape[1], shape[2]}, at::kByte);
    }
    sums.add(some);
    return some;
  };
  return images;
}

std::string levels(const MeanDeviation& pixels) {
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%.3g +- %.3g", pixels.mean, pixels.deviation);
  return text.data();
}

}  // namespace

RunEvaluator::RunEvaluator(const std::filesystem::path& features)
    : features_(features),
      network_(load_feature_network(features)),
      sha256_(io::sha256_hex_of_file(features)) {}

std::string RunEvaluator::begin(parallel::ProcessGroup& group,
                                std::shared_ptr<const data::Dataset> dataset, const ModelSpec& spec,
                                int64_t num, const c10::Device& device) {
  require_images(spec);
  const std::string name = dataset->info().name;
  const ImageSource all = images_of_dataset(std::move(dataset));
  PixelSums sums;
  bool not_finite = false;
  const Reference reference{
      .name = name, .images = watched(random_subset(all, kMostReference, 0), sums, not_finite)};
  const EvaluationOptions options{.num = num, .first_seed = kEvaluationSeed};
  require_samples("samples", num, all.shape, reference, *network_, options);
  originals_.reset();
  if (spec.condition.is_on()) {
    originals_ = random_subset(all, num, kEvaluationSeed);
    require_originals(originals_, all.shape, num);
  }
  group_ = &group;
  num_ = num;
  network_->to(device);
  reference_ = reference_features(reference, *network_, options, {.group = group_});
  sums.sum_over(group);
  data_ = sums.mean_deviation();
  const int64_t count = reference.images->count;
  std::string what = frechet_name(network_->spec(), num, count) + " of " + std::to_string(num) +
                     " samples against " + (count == all.count ? "all " : "") +
                     std::to_string(count) + " images of " + name + ", whose pixels are " +
                     levels(data_);
  if (!spec.sampling.is_distilled())
    what += "; models for any number of steps take " + std::to_string(kEvaluationSteps);
  if (too_few_images(num, network_->spec().num_features))
    what += "; with fewer than 4 samples per feature the distance is too large";
  return what;
}

Quality RunEvaluator::evaluate(const Model& model) {
  GenerateOptions sampling;
  if (!model.spec().sampling.is_distilled()) sampling.num_steps = kEvaluationSteps;
  PixelSums sums;
  bool not_finite = false;
  const EvaluationResult result =
      metrics::evaluate(watched(images_of_model(model, sampling, num_, kEvaluationSeed, originals_),
                                sums, not_finite),
                        *reference_, *network_, {.num = num_}, {.group = group_});
  sums.sum_over(*group_);
  not_finite = parallel::any(*group_, not_finite);
  const MeanDeviation pixels = sums.mean_deviation();
  Quality quality{.distance_name = frechet_name(network_->spec(), num_, reference_->count()),
                  .pixel_mean = pixels.mean,
                  .pixel_deviation = pixels.deviation,
                  .data_mean = data_.mean,
                  .data_deviation = data_.deviation};
  if (!not_finite && result.frechet && std::isfinite(*result.frechet))
    quality.distance = result.frechet;
  return quality;
}

}  // namespace halfstep::metrics
