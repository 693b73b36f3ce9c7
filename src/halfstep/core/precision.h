// What a network computes in. Parameters, norm statistics, the loss and the optimizer are float32
// either way.
#ifndef HALFSTEP_CORE_PRECISION_H_
#define HALFSTEP_CORE_PRECISION_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

enum class Precision { fp32, bf16 };

// bf16 where the device computes faster in it (CPU with AVX-512 BF16 or AMX, CUDA from Ampere on),
// else fp32.
Precision best_precision(const at::Device& device);

}  // namespace halfstep

#endif  // HALFSTEP_CORE_PRECISION_H_
