#if defined(__x86_64__)
#include "halfstep/nn/kernels/group_norm_loops.h"

namespace halfstep::cpu {

const GroupNormKernels kGroupNormAvx512 = kKernels;

}  // namespace halfstep::cpu
#endif
