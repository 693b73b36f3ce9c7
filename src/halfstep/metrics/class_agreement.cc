#include "halfstep/metrics/class_agreement.h"

#include <ATen/Functions.h>

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"

namespace halfstep::metrics {

double class_agreement(const Tensor& logits, const Tensor& labels) {
  require_shape("agreement", "labels", labels, {logits.size(0)});
  const Tensor others = labels.masked_select(labels.lt(0).logical_or(labels.ge(logits.size(1))));
  if (others.numel() > 0) {
    throw ConfigError("agreement", "labels: expected classes from 0 to " +
                                       std::to_string(logits.size(1) - 1) + ", received " +
                                       std::to_string(others[0].item<int64_t>()));
  }
  return logits.argmax(1).eq(labels).to(at::kDouble).mean().item<double>();
}

}  // namespace halfstep::metrics
