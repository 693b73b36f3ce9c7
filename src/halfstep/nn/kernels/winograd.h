// 3 x 3 convolutions in float32 on the CPU with fewer multiplications.
#ifndef HALFSTEP_NN_KERNELS_WINOGRAD_H_
#define HALFSTEP_NN_KERNELS_WINOGRAD_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep {

// The convolution y = x * kernel + bias with 'SAME' padding and stride 1, in float32. x [B, in, H,
// W] and y [B, out, H, W] are channels-last, the kernel is [out, in, 3, 3]. It is computed in tiles
// of 2 x 2 outputs by Winograd's F(2 x 2, 3 x 3) (Lavin and Gray 2015, "Fast Algorithms for
// Convolutional Neural Networks"):
//   y = A^T [ sum over in of (G g G^T) (.) (B^T d B) ] A
// with 16 instead of 36 products for the 4 outputs of a pair of channels. d are the 4 x 4 inputs of
// a tile and g is the kernel. A, B and G contain only zeros, ones and halves, so the transforms
// lose few digits: the error is that of a sum of 9 in products. The tensors must be on the CPU, and
// in and out multiples of kWinogradChannels. None of these functions builds a graph.
inline constexpr int64_t kWinogradChannels = 16;

// Returns G g G^T of a kernel, [16, in, out] in the order in which winograd reads it.
Tensor winograd_kernel(const Tensor& kernel);

// Returns y for a kernel transformed by winograd_kernel. The bits of an image depend neither on the
// batch nor on the number of threads.
Tensor winograd(const Tensor& x, const Tensor& transformed, const Tensor& bias);

// Returns the gradient of x: the convolution of dy with the flipped and transposed kernel.
Tensor winograd_input_gradient(const Tensor& dy, const Tensor& kernel);

// Returns the gradient of the kernel, [out, in, 3, 3]. Each thread sums over its part of the batch,
// so the bits depend on the number of threads.
Tensor winograd_kernel_gradient(const Tensor& dy, const Tensor& x);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_WINOGRAD_H_
