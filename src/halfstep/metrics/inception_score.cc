#include "halfstep/metrics/inception_score.h"

#include <ATen/Functions.h>

#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"

namespace halfstep::metrics {

MeanDeviation inception_score(const Tensor& logits, const Tensor& order, int64_t splits) {
  const int64_t count = logits.size(0);
  require_shape("inception_score", "order", order, {count});
  if (splits < 1 || splits > count) {
    throw ConfigError("inception_score", "splits: expected 1 to the number of images, " +
                                             std::to_string(count) + ", received " +
                                             std::to_string(splits));
  }
  const Tensor log_p = logits.index_select(0, order).to(at::kDouble).log_softmax(1);
  std::vector<double> scores;
  scores.reserve(static_cast<size_t>(splits));
  for (int64_t i = 0; i < splits; ++i) {
    const Tensor part = log_p.slice(0, i * count / splits, (i + 1) * count / splits);
    const Tensor p = part.exp();
    const Tensor log_q = p.mean(0, /*keepdim=*/true).log();
    scores.push_back((p * (part - log_q)).sum(1).mean().exp().item<double>());
  }
  return mean_deviation(scores);
}

}  // namespace halfstep::metrics
