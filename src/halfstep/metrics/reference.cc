#include "halfstep/metrics/reference.h"

#include <map>

#include "halfstep/core/error.h"
#include "halfstep/io/npy.h"

namespace halfstep::metrics {
namespace {

// Returns why the moments cannot be used; empty if they can.
std::string objection(const Moments& moments, const FeatureSpec& network,
                      const EvaluationOptions& options) {
  const int64_t size = moments.mean.size(0);
  if (size != network.num_features ||
      (moments.features != network.name && !moments.features.empty())) {
    return "mu and sigma: expected moments of the " + std::to_string(network.num_features) +
           " features of " + network.name + ", received shapes " +
           io::to_string(moments.mean.sizes().vec()) + " and " +
           io::to_string(moments.covariance.sizes().vec()) +
           (moments.features.empty() ? "" : " of " + moments.features);
  }
  if (const std::optional<Metric> metric = needs_reference_features(options.metrics)) {
    return "expected images, because " + std::string(name_of(*metric)) +
           " needs the features of each, received moments (mu, sigma)";
  }
  return "";
}

}  // namespace

Reference open_reference(const std::filesystem::path& path, const data::DatasetOptions& options) {
  Reference reference{.name = path.string()};
  if (path.extension() != ".npz") {
    reference.images = open_images(path, options);
    return reference;
  }
  const std::map<std::string, io::Array> arrays = io::read_npz(path);
  const bool has_moments = arrays.contains("mu") || arrays.contains("sigma");
  if (has_moments) reference.moments = moments_of(arrays, reference.name);
  if (!has_moments || arrays.contains("arr_0"))
    reference.images = images_of_npz(arrays, reference.name, options.image_size);
  return reference;
}

bool uses_moments(const Reference& reference, const FeatureNetwork& network,
                  const EvaluationOptions& options) {
  if (!reference.moments) return false;
  const std::string problem = objection(*reference.moments, network.spec(), options);
  if (problem.empty()) return true;
  if (reference.images) return false;
  throw ConfigError(reference.name, problem + "; use a reference of images");
}

}  // namespace halfstep::metrics
