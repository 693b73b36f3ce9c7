#ifndef HALFSTEP_METRICS_RANDOM_ORDER_H_
#define HALFSTEP_METRICS_RANDOM_ORDER_H_

#include <cstdint>

#include "halfstep/core/tensor.h"

namespace halfstep::metrics {

// The first `count` of the numbers 0 to size - 1 in the order that (seed, number) gives them, a
// function of its arguments (core/random.h, Permutation): int64 [count].
Tensor random_order(int64_t size, uint64_t seed, uint64_t number, int64_t count);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_RANDOM_ORDER_H_
