#include "halfstep/nn/kernels/cast.h"

#include <ATen/Parallel.h>

#include "halfstep/nn/kernels/cpu.h"

namespace halfstep {

void cast_to_bfloat16(at::TensorList masters, at::TensorList values) {
  const auto count = static_cast<int64_t>(masters.size());
  at::parallel_for(0, count, /*grain_size=*/1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      if (masters[i].device().is_cpu()) {
        cpu::kernels().to_bfloat16(masters[i].numel(), masters[i].const_data_ptr<float>(),
                                   static_cast<cpu::BFloat16*>(values[i].data_ptr()));
      } else {
        values[i].copy_(masters[i]);
      }
    }
  });
}

}  // namespace halfstep
