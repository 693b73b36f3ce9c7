#include "halfstep/nn/kernels/cpu.h"

#include "halfstep/core/instruction_set.h"

namespace halfstep::cpu {

const Kernels& kernels() {
  switch (instruction_set()) {
#if defined(__x86_64__)
    case InstructionSet::avx512_bf16:
      return kAvx512Bf16;
    case InstructionSet::avx512:
      return kAvx512;
    case InstructionSet::avx2:
      return kAvx2;
#endif
    default:
      return kBaseline;
  }
}

template <>
const ImageKernels<float>& image_kernels() {
  return kernels().float32;
}

template <>
const ImageKernels<BFloat16>& image_kernels() {
  return kernels().bfloat16;
}

}  // namespace halfstep::cpu
