// All loops in one table. Included by one file an instruction set.
#ifndef HALFSTEP_NN_KERNELS_CPU_LOOPS_H_
#define HALFSTEP_NN_KERNELS_CPU_LOOPS_H_

#include "halfstep/nn/kernels/attention_loops.h"
#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/group_norm_loops.h"
#include "halfstep/nn/kernels/optimizer_loops.h"
#include "halfstep/nn/kernels/resample_loops.h"

namespace halfstep::cpu {
namespace {

inline void to_bfloat16(int64_t count, const float* from, BFloat16* to) {
  for_each_vector(count, [&](int64_t i, auto in) { store(to + i, load(from + i, in), in); });
}

inline constexpr Kernels kLoops = {
    .group_norm_float32 = {group_norm::forward<float>, group_norm::backward<float>},
    .group_norm_bfloat16 = {group_norm::forward<BFloat16>, group_norm::backward<BFloat16>},
    .attention_float32 = attention::kLoops<float>,
    .attention_bfloat16 = attention::kLoops<BFloat16>,
    .resample_float32 = {resample::sum_blocks<float>, resample::spread<float>},
    .resample_bfloat16 = {resample::sum_blocks<BFloat16>, resample::spread<BFloat16>},
    .optimizer = {optimizer::adam, optimizer::sum_of_squares},
    .to_bfloat16 = to_bfloat16};

}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_CPU_LOOPS_H_
