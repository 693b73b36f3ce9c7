#if defined(__x86_64__)
#include "halfstep/nn/kernels/cpu_loops.h"

namespace halfstep::cpu {

const Kernels kAvx512 = kLoops;

}  // namespace halfstep::cpu
#endif
