#ifndef HALFSTEP_NN_DROPOUT_H_
#define HALFSTEP_NN_DROPOUT_H_

#include <cstdint>
#include <map>

#include "halfstep/core/random.h"
#include "halfstep/core/tensor.h"

namespace halfstep {

// Identifies the dropout masks of one forward pass: those of update `update` of the run with this
// seed, for the examples from `first_example` on.
struct DropoutKey {
  uint64_t seed = 0;
  uint64_t update = 0;
  uint32_t first_example = 0;
  // The words of each site's key (BatchKey::words); empty on the CPU.
  std::map<uint32_t, Tensor> words = {};
};

// Returns the key of the masks of one site.
RandomKey key_of(const DropoutKey& key, uint32_t site);

// Sets each element of h [B, C, H, W] to 0 with probability `rate` in [0, 1) and scales the others
// by 1 / (1 - rate). The mask is a function of (key, example, site), drawn in NCHW order
// whatever the device and memory layout of h. `site` distinguishes the dropout layers of a network.
Tensor keyed_dropout(const Tensor& h, double rate, const DropoutKey& key, uint32_t site);

}  // namespace halfstep

#endif  // HALFSTEP_NN_DROPOUT_H_
