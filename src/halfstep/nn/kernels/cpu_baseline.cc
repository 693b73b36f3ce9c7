#include "halfstep/nn/kernels/cpu_loops.h"

namespace halfstep::cpu {

const Kernels kBaseline = kLoops;

}  // namespace halfstep::cpu
