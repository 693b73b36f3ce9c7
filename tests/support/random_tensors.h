#ifndef HALFSTEP_TESTS_SUPPORT_RANDOM_TENSORS_H_
#define HALFSTEP_TESTS_SUPPORT_RANDOM_TENSORS_H_

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "halfstep/core/tensor.h"

namespace halfstep::test {

// N(0, 1), a function of (shape, seed); no test may depend on the values. Drawn in float64, so that
// both types get the same.
Tensor random_normal(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype = at::kDouble);

// A float64 vector, on the CPU: angles, times, step numbers.
Tensor float64_vector(std::initializer_list<double> values);
Tensor float64_vector(const std::vector<double>& values);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_RANDOM_TENSORS_H_
