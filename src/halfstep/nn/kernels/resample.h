// Halving and doubling of images.
#ifndef HALFSTEP_NN_KERNELS_RESAMPLE_H_
#define HALFSTEP_NN_KERNELS_RESAMPLE_H_

#include "halfstep/core/tensor.h"

namespace halfstep {

enum class Resample { none, down, up };

// down: the means of 2 x 2 blocks; up: each pixel four times (nearest neighbour). x [B, C, H, W].
// Differentiable. Fused on the CPU for channels-last x of even size; elsewhere the plain form.
Tensor resample(const Tensor& x, Resample how);

// The same in ATen operators.
Tensor resample_plain(const Tensor& x, Resample how);

// dx from dy, by itself.
Tensor resample_backward(const Tensor& dy, Resample how);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_RESAMPLE_H_
