#include "halfstep/nn/dropout.h"

#include "halfstep/nn/keyed_draws.h"

namespace halfstep {

RandomKey key_of(const DropoutKey& key, uint32_t site) {
  return {.seed = key.seed,
          .purpose = Purpose::dropout,
          .index = key.update,
          .example = key.first_example,
          .site = site};
}

Tensor keyed_dropout(const Tensor& h, double rate, const DropoutKey& key, uint32_t site) {
  BatchKey of_site{.first = key_of(key, site)};
  if (const auto words = key.words.find(site); words != key.words.end())
    of_site.words = words->second;
  const Tensor mask = keyed_uniform(of_site, h.sizes(), h.device());
  const Tensor kept = mask.ge(rate).to(h.scalar_type()).mul_(1.0 / (1.0 - rate));
  return h * kept.contiguous(h.suggest_memory_format());
}

}  // namespace halfstep
