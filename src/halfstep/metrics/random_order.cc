#include "halfstep/metrics/random_order.h"

#include "halfstep/core/random.h"

namespace halfstep::metrics {

Tensor random_order(int64_t size, uint64_t seed, uint64_t number, int64_t count) {
  const Permutation permutation(seed, number, static_cast<uint64_t>(size));
  Tensor order = at::empty({count}, at::TensorOptions().dtype(at::kLong));
  int64_t* values = order.data_ptr<int64_t>();
  for (int64_t i = 0; i < count; ++i)
    values[i] = static_cast<int64_t>(permutation(static_cast<uint64_t>(i)));
  return order;
}

}  // namespace halfstep::metrics
