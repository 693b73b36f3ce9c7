#include "halfstep/core/precision.h"

#include <ATen/Version.h>

namespace halfstep {

Precision best_precision(const at::Device& device) {
  if (device.is_cuda()) return Precision::bf16;
#if defined(__x86_64__)
  // LibTorch's own choice of kernels honours ATEN_CPU_CAPABILITY; so does this.
  if (at::get_cpu_capability().starts_with("AVX512") && __builtin_cpu_supports("avx512bf16"))
    return Precision::bf16;
#endif
  return Precision::fp32;
}

}  // namespace halfstep
