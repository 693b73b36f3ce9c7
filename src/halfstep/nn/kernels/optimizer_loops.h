// The optimizer's loops: one pass over memory.
#ifndef HALFSTEP_NN_KERNELS_OPTIMIZER_LOOPS_H_
#define HALFSTEP_NN_KERNELS_OPTIMIZER_LOOPS_H_

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/vector.h"

namespace halfstep::cpu {
namespace {
namespace optimizer {

inline void adam(const AdamStep& step, int64_t count, float* gradient, float* p, float* m, float* v,
                 float* ema) {
  for_each_vector(count, [&](int64_t i, auto in) {
    const Floats g = load(gradient + i, in) * step.grad_scale;
    const Floats m_before = load(m + i, in);
    const Floats m_i = m_before + (g - m_before) * step.m_rate;
    const Floats v_i = load(v + i, in) * step.v_keep + g * g * step.v_rate;
    const Floats denominator = square_root(v_i * step.v_scale) + step.epsilon;
    const Floats p_i = load(p + i, in) * step.p_keep - m_i / denominator * step.step_size;
    store(gradient + i, Floats{}, in);
    store(m + i, m_i, in);
    store(v + i, v_i, in);
    store(p + i, p_i, in);
    if (ema == nullptr) return;
    store(ema + i, p_i + (load(ema + i, in) - p_i) * step.ema_keep, in);
  });
}

// Sums blocks in float32, which loses few digits, and the blocks in float64.
inline double sum_of_squares(int64_t count, const float* x) {
  constexpr int64_t kBlock = 1024;
  double total = 0.0;
  for (int64_t first = 0; first < count; first += kBlock) {
    Floats block = {};
    for_each_vector(first + kBlock <= count ? kBlock : count - first, [&](int64_t i, auto in) {
      const Floats x_i = load(x + first + i, in);
      block += x_i * x_i;
    });
    for (int i = 0; i < kLanes; ++i) total += block[i];
  }
  return total;
}

}  // namespace optimizer
}  // namespace
}  // namespace halfstep::cpu

#endif  // HALFSTEP_NN_KERNELS_OPTIMIZER_LOOPS_H_
