// Halving and doubling of images.
#ifndef HALFSTEP_NN_KERNELS_RESAMPLE_H_
#define HALFSTEP_NN_KERNELS_RESAMPLE_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

enum class Resample { none, down, up };

// Resamples x [B, C, H, W]: `down` takes the means of 2 x 2 blocks, `up` repeats each pixel in a 2
// x 2 block (nearest neighbour). Differentiable once. Fused on the CPU, where the result is
// channels-last; the plain form elsewhere, and for halving an odd size.
Tensor resample(const Tensor& x, Resample how);

// Does the same in ATen operators.
Tensor resample_plain(const Tensor& x, Resample how);

// Returns dx for dy. Builds no graph.
Tensor resample_backward(const Tensor& dy, Resample how);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_RESAMPLE_H_
