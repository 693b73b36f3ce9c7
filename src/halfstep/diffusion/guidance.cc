#include "halfstep/diffusion/guidance.h"

#include <utility>

namespace halfstep {

RawOutput guided(RawOutput raw, double w) {
  if (w == 1.0) return raw;
  return [raw = std::move(raw), w](const Tensor& z, const Tensor& phi, const Condition& condition) {
    const Tensor with_label = raw(z, phi, condition);
    if (!condition.labels.defined()) return with_label;
    Condition null = condition;
    null.labels = Tensor();
    const Tensor without_label = raw(z, phi, null);
    return without_label + w * (with_label - without_label);
  };
}

}  // namespace halfstep
