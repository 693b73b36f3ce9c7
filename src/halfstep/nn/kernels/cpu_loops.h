// All loops in one table. One .cc file per instruction set includes it.
#ifndef HALFSTEP_NN_KERNELS_CPU_LOOPS_H_
#define HALFSTEP_NN_KERNELS_CPU_LOOPS_H_

#include "halfstep/nn/kernels/attention_loops.h"
#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/group_norm_loops.h"
#include "halfstep/nn/kernels/optimizer_loops.h"
#include "halfstep/nn/kernels/resample_loops.h"
#include "halfstep/nn/kernels/winograd_loops.h"

namespace halfstep::cpu {
namespace {

inline void to_bfloat16(int64_t count, const float* from, BFloat16* to) {
  for_each_vector(count, [&](int64_t i, auto in) { store(to + i, load(from + i, in), in); });
}

template <class T>
inline constexpr ImageKernels<T> kImageLoops = {
    .group_norm = {group_norm::forward<T>, group_norm::backward<T>},
    .attention = attention::kLoops<T>,
    .resample = {resample::sum_blocks<T>, resample::spread<T>}};

inline constexpr Kernels kLoops = {.float32 = kImageLoops<float>,
                                   .bfloat16 = kImageLoops<BFloat16>,
                                   .winograd = winograd::kLoops,
                                   .optimizer = {optimizer::adam, optimizer::sum_of_squares},
                                   .to_bfloat16 = to_bfloat16};

}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_CPU_LOOPS_H_
