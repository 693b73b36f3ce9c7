#include "halfstep/core/precision.h"

#include "halfstep/core/instruction_set.h"

namespace halfstep {

Precision best_precision(const at::Device& device) {
  if (device.is_cuda()) return Precision::bf16;
  if (instruction_set() == InstructionSet::avx512_bf16) return Precision::bf16;
  return Precision::fp32;
}

}  // namespace halfstep
