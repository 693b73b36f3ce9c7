// Keyed random numbers (core/random.h) as tensors. The bits are the same on every device: on the
// CPU they come from the loops of core/random.h, elsewhere from the same operations as ATen
// operators, so that nothing is copied to the device.
#ifndef HALFSTEP_NN_KEYED_DRAWS_H_
#define HALFSTEP_NN_KEYED_DRAWS_H_

#include "halfstep/core/random.h"
#include "halfstep/core/tensor.h"

namespace halfstep {

// Draw float32 [B, ...]: N(0, 1), or uniform on [0, 1). Example i of the batch has the key `first`
// with `example` increased by i, and its elements are in C order.
Tensor keyed_normal(const RandomKey& first, at::IntArrayRef shape, const at::Device& device);
Tensor keyed_uniform(const RandomKey& first, at::IntArrayRef shape, const at::Device& device);

// Do the same in ATen operators on any device.
Tensor keyed_normal_plain(const RandomKey& first, at::IntArrayRef shape, const at::Device& device);
Tensor keyed_uniform_plain(const RandomKey& first, at::IntArrayRef shape, const at::Device& device);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KEYED_DRAWS_H_
