// What samples are compared with.
#ifndef HALFSTEP_METRICS_REFERENCE_H_
#define HALFSTEP_METRICS_REFERENCE_H_

#include <filesystem>
#include <optional>
#include <string>

#include "halfstep/data/dataset.h"
#include "halfstep/metrics/evaluation.h"
#include "halfstep/metrics/feature_network.h"
#include "halfstep/metrics/image_source.h"
#include "halfstep/metrics/moments.h"

namespace halfstep::metrics {

// Images, the moments of their features, or both, as in the reference batches of guided-diffusion
// (ADM).
struct Reference {
  std::string name;  // the path, for messages
  std::optional<ImageSource> images = std::nullopt;
  std::optional<Moments> moments = std::nullopt;
};

// Opens an .npz file of moments (mu, sigma), of images (arr_0) or of both, or a data set. Throws as
// moments_of and open_images do.
Reference open_reference(const std::filesystem::path& path,
                         const data::DatasetOptions& options = {});

// Returns whether the reference's moments are used and not its images: they are of the network's
// features and suffice for the metrics. Throws ConfigError, naming the reference, if neither its
// moments nor its images can be used.
bool uses_moments(const Reference& reference, const FeatureNetwork& network,
                  const EvaluationOptions& options);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_REFERENCE_H_
