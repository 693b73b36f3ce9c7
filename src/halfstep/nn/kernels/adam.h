// An optimizer's step as one pass over memory.
#ifndef HALFSTEP_NN_KERNELS_ADAM_H_
#define HALFSTEP_NN_KERNELS_ADAM_H_

#include "halfstep/core/tensor.h"
#include "halfstep/nn/kernels/cpu.h"

namespace halfstep {

using AdamStep = cpu::AdamStep;  // has the formula

// Float32 vectors of one length. Leaves the gradient zero, for the next update to add to. `ema` may
// be undefined. Fused on the CPU, elsewhere the plain form.
void adam_step(const AdamStep& step, const Tensor& gradient, const Tensor& p, const Tensor& m,
               const Tensor& v, const Tensor& ema);

// The same in ATen operators.
void adam_step_plain(const AdamStep& step, const Tensor& gradient, const Tensor& p, const Tensor& m,
                     const Tensor& v, const Tensor& ema);

// sqrt(sum of x^2) of a float32 vector; infinite where a square leaves float32. On the CPU the same
// bits on any number of threads.
double norm_of(const Tensor& x);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_ADAM_H_
