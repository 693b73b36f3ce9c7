#include "halfstep/nn/kernels/cast.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/images.h"

namespace halfstep {

void cast_to_bfloat16(at::TensorList masters, at::TensorList values) {
  if (!masters.empty() && !masters.front().device().is_cpu()) {
    at::_foreach_copy_(values, masters);
    return;
  }
  const auto count = static_cast<int64_t>(masters.size());
  at::parallel_for(0, count, /*grain_size=*/1, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
      cpu::kernels().to_bfloat16(masters[i].numel(), data_of<const float>(masters[i]),
                                 data_of<cpu::BFloat16>(values[i]));
    }
  });
}

}  // namespace halfstep
