#ifndef HALFSTEP_METRICS_PRECISION_RECALL_H_
#define HALFSTEP_METRICS_PRECISION_RECALL_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep::metrics {

struct PrecisionRecall {
  double precision = 0.0;  // fraction of the samples inside the reference's manifold
  double recall = 0.0;     // fraction of the reference inside the samples' manifold
};

// Returns improved precision and recall (Kynkäänniemi et al., 2019) of features [N, D] and [M, D].
// The manifold of a set is the union of balls around its members; the radius of a ball is the
// distance to the k-th nearest other member. Distances are computed in float64. Throws ConfigError
// for sets of k members or fewer.
PrecisionRecall precision_recall(const Tensor& samples, const Tensor& reference, int64_t k = 3);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_PRECISION_RECALL_H_
