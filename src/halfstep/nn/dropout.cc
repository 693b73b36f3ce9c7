#include "halfstep/nn/dropout.h"

#include <ATen/Parallel.h>

#include "halfstep/core/random.h"

namespace halfstep {

Tensor keyed_dropout(const Tensor& h, double rate, const DropoutKey& key, uint32_t site) {
  const int64_t batch = h.size(0);
  const int64_t elements = h.numel() / batch;
  Tensor mask = at::empty(h.sizes(), at::TensorOptions().dtype(at::kFloat));
  float* values = mask.data_ptr<float>();
  at::parallel_for(0, batch, 1, [&](int64_t begin, int64_t end) {
    for (int64_t example = begin; example < end; ++example) {
      fill_uniform({.seed = key.seed,
                    .purpose = Purpose::dropout,
                    .index = key.update,
                    .example = key.first_example + static_cast<uint32_t>(example),
                    .site = site},
                   std::span<float>(values + example * elements, static_cast<size_t>(elements)));
    }
  });
  const Tensor kept = mask.ge(rate).to(h.scalar_type()).mul_(1.0 / (1.0 - rate));
  return h * kept.to(h.device()).contiguous(h.suggest_memory_format());
}

}  // namespace halfstep
