// Extracts the features of a set of images, in one or several processes.
#ifndef HALFSTEP_METRICS_EXTRACT_FEATURES_H_
#define HALFSTEP_METRICS_EXTRACT_FEATURES_H_

#include <cstdint>
#include <functional>

#include "halfstep/metrics/feature_set.h"
#include "halfstep/metrics/image_source.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep::metrics {

// Extracts the features of all images of the source. The ranks take turns at its batches. Rank 0
// gets all features, in order and therefore with the bits that one process gets; the other ranks
// get an empty set. `progress` is called on rank 0 after each round of batches.
FeatureSet extract_features(parallel::ProcessGroup& group, const FeatureNetwork& network,
                            bool keep_features, const ImageSource& images,
                            const std::function<void(int64_t done)>& progress = {});

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_EXTRACT_FEATURES_H_
