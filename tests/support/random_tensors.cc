#include "tests/support/random_tensors.h"

#include <ATen/CPUGeneratorImpl.h>

namespace halfstep::test {

Tensor random_normal(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype) {
  const at::TensorOptions options = at::TensorOptions().dtype(at::kDouble);
  return at::randn(shape, at::detail::createCPUGenerator(seed), options).to(dtype);
}

Tensor float64_vector(const std::vector<double>& values) {
  return at::tensor(values, at::TensorOptions().dtype(at::kDouble));
}

Tensor float64_vector(std::initializer_list<double> values) {
  return float64_vector(std::vector<double>(values));
}

}  // namespace halfstep::test
