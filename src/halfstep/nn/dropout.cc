#include "halfstep/nn/dropout.h"

#include "halfstep/nn/keyed_draws.h"

namespace halfstep {

Tensor keyed_dropout(const Tensor& h, double rate, const DropoutKey& key, uint32_t site) {
  const RandomKey first = {.seed = key.seed,
                           .purpose = Purpose::dropout,
                           .index = key.update,
                           .example = key.first_example,
                           .site = site};
  const Tensor mask = keyed_uniform(first, h.sizes(), h.device());
  const Tensor kept = mask.ge(rate).to(h.scalar_type()).mul_(1.0 / (1.0 - rate));
  return h * kept.contiguous(h.suggest_memory_format());
}

}  // namespace halfstep
