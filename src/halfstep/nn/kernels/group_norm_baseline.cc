#include "halfstep/nn/kernels/group_norm_loops.h"

namespace halfstep::cpu {

const GroupNormKernels kGroupNormBaseline = kKernels;

}  // namespace halfstep::cpu
