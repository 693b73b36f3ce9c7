#ifndef HALFSTEP_METRICS_RANDOM_ORDER_H_
#define HALFSTEP_METRICS_RANDOM_ORDER_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep::metrics {

// Returns the first `count` elements, int64 [count], of permutation `number` of 0 to size - 1 under
// `seed` (core/random.h, Permutation).
Tensor random_order(int64_t size, uint64_t seed, uint64_t number, int64_t count);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_RANDOM_ORDER_H_
