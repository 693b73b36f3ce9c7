#ifndef HALFSTEP_METRICS_INCEPTION_SCORE_H_
#define HALFSTEP_METRICS_INCEPTION_SCORE_H_

#include <cstdint>

#include "halfstep/core/tensor.h"
#include "halfstep/metrics/mean_deviation.h"

namespace halfstep::metrics {

// Returns the Inception Score (Salimans et al., 2016): exp of the mean over images of KL(p(class |
// image) || p(class)), from logits [N, classes] taken in `order` (int64 [N]) and cut into `splits`
// parts, part i from i N / splits to (i + 1) N / splits, each with its own p(class). Throws
// ConfigError for fewer images than parts.
MeanDeviation inception_score(const Tensor& logits, const Tensor& order, int64_t splits = 10);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_INCEPTION_SCORE_H_
