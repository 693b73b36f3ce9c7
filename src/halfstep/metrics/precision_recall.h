#ifndef HALFSTEP_METRICS_PRECISION_RECALL_H_
#define HALFSTEP_METRICS_PRECISION_RECALL_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep::metrics {

struct PrecisionRecall {
  double precision = 0.0;  // share of samples that lie in the reference's manifold
  double recall = 0.0;     // share of the reference that lies in the samples' manifold
};

// Improved precision and recall (Kynkaanniemi et al., 2019) of features [N, D] and [M, D]. A set's
// manifold is the union of balls, one around each member, that reach to its k-th nearest other
// member. Distances are float64. Throws ConfigError for sets of k members or fewer.
PrecisionRecall precision_recall(const Tensor& samples, const Tensor& reference, int64_t k = 3);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_PRECISION_RECALL_H_
