// 3 x 3 convolutions in float32 on the CPU, in fewer products.
#ifndef HALFSTEP_NN_KERNELS_WINOGRAD_H_
#define HALFSTEP_NN_KERNELS_WINOGRAD_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep {

// y = x * kernel + bias: 'SAME', stride 1, in float32. x [B, in, H, W] and y [B, out, H, W] in
// channels-last memory, kernel [out, in, 3, 3]. Two outputs a side at a time, by Winograd's
// F(2 x 2, 3 x 3) (Lavin and Gray, "Fast Algorithms for Convolutional Neural Networks", 2015):
//   y = A^T [ sum over in of (G g G^T) (.) (B^T d B) ] A
// with 16 products, not 36, for 4 outputs of a pair of channels. d is the 4 x 4 inputs that 2 x 2
// outputs see, g the kernel; A, B and G hold zeros, ones and halves, so that no digit is lost: the
// error is that of the sum of 9 in products. On the CPU; in and out are multiples of
// kWinogradChannels. None of these knows of autograd.
inline constexpr int64_t kWinogradChannels = 16;

// G g G^T of a kernel, [16, in, out] but in the order that products read: for winograd alone.
Tensor winograd_kernel(const Tensor& kernel);

// y, from winograd_kernel's result. Bits depend neither on the batch nor on the number of threads.
Tensor winograd(const Tensor& x, const Tensor& transformed, const Tensor& bias);

// The gradient of x for that of y: the same with the kernel turned around.
Tensor winograd_input_gradient(const Tensor& dy, const Tensor& kernel);

// The gradient of the kernel [out, in, 3, 3]. Each thread sums over its share of the batch.
Tensor winograd_kernel_gradient(const Tensor& dy, const Tensor& x);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KERNELS_WINOGRAD_H_
