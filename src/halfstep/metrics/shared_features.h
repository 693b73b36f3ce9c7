// The features of a set of images, made by several processes.
#ifndef HALFSTEP_METRICS_SHARED_FEATURES_H_
#define HALFSTEP_METRICS_SHARED_FEATURES_H_

#include <cstdint>
#include <functional>

#include "halfstep/core/tensor.h"
#include "halfstep/metrics/evaluation.h"
#include "halfstep/parallel/process_group.h"

namespace halfstep {

// Images that can be made or read anywhere.
struct ImageSource {
  int64_t count = 0;
  int64_t batch = 1;  // to be asked for at a time
  // Images first to first + size - 1: uint8 [size, C, H, W].
  std::function<Tensor(int64_t first, int64_t size)> read;
};

// The processes take batches in turn. The root has all features in the end, added in the order and
// so with the bits of one process; the others have an empty set. `progress` is called in the root.
FeatureSet features_of(ProcessGroup& group, const FeatureNetwork& network, bool keep_features,
                       const ImageSource& images,
                       const std::function<void(int64_t done)>& progress = {});

}  // namespace halfstep

#endif  // HALFSTEP_METRICS_SHARED_FEATURES_H_
