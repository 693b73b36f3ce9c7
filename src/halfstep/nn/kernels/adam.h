// A step of Adam as one pass over memory.
#ifndef HALFSTEP_NN_KERNELS_ADAM_H_
#define HALFSTEP_NN_KERNELS_ADAM_H_

#include "halfstep/core/tensor.h"
#include "halfstep/nn/kernels/cpu.h"

namespace halfstep {

using AdamStep = cpu::AdamStep;  // documents the formula

// Updates p, m, v and, if it is defined, `ema` in place, and sets the gradient to zero, ready for
// the next backward pass to add to. All are float32 vectors of one length. Fused on the CPU; other
// devices use LibTorch's fused operator.
void adam_step(const AdamStep& step, const Tensor& gradient, const Tensor& p, const Tensor& m,
               const Tensor& v, const Tensor& ema);

// Does the same in ATen operators.
void adam_step_plain(const AdamStep& step, const Tensor& gradient, const Tensor& p, const Tensor& m,
                     const Tensor& v, const Tensor& ema);

// Does the same by LibTorch's fused operator, which reads and writes each vector once.
void adam_step_libtorch(const AdamStep& step, const Tensor& gradient, const Tensor& p,
                        const Tensor& m, const Tensor& v, const Tensor& ema);

// Returns sqrt(sum of x^2) of a float32 vector, infinite if a square overflows float32: one float64
// number on the device of x. On the CPU the bits do not depend on the number of threads.
Tensor norm_of(const Tensor& x);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_ADAM_H_
