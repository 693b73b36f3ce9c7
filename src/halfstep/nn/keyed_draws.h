// Keyed random numbers (core/random.h) as tensors. The bits are the same on every device: on the
// CPU they come from the loops of core/random.h, elsewhere from the same operations as ATen
// operators.
#ifndef HALFSTEP_NN_KEYED_DRAWS_H_
#define HALFSTEP_NN_KEYED_DRAWS_H_

#include "halfstep/core/random.h"
#include "halfstep/core/tensor.h"

namespace halfstep {

// The keys of a batch: example i has the key `first` with `example` increased by i.
struct BatchKey {
  RandomKey first;
  // key_words(first) on the device that draws, where they are an input of its graph
  // (device/device_graph.h). Undefined: computed and copied when they are needed.
  Tensor words = {};
};

// Returns what a device computes the numbers of a batch from, so that a key may be the input of a
// graph: int64 [23] on the CPU, the counter of the stream of `first` (core/random_stream.h) and the
// keys of Philox's ten rounds.
Tensor key_words(const RandomKey& first);

// Draw float32 [B, ...]: N(0, 1), or uniform on [0, 1). The elements of an example are in C order.
Tensor keyed_normal(const BatchKey& key, at::IntArrayRef shape, const at::Device& device);
Tensor keyed_uniform(const BatchKey& key, at::IntArrayRef shape, const at::Device& device);

// Do the same in ATen operators. `key` is what key_words returns, on any device.
Tensor keyed_normal_plain(const Tensor& key, at::IntArrayRef shape);
Tensor keyed_uniform_plain(const Tensor& key, at::IntArrayRef shape);

}  // namespace halfstep

#endif  // HALFSTEP_NN_KEYED_DRAWS_H_
