#ifndef HALFSTEP_TESTS_SUPPORT_RANDOM_TENSORS_H_
#define HALFSTEP_TESTS_SUPPORT_RANDOM_TENSORS_H_

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "halfstep/core/tensor.h"

namespace halfstep::test {

// Returns standard normal numbers that depend only on the shape and the seed. Tests must not depend
// on particular values. The numbers are drawn in float64 for all types.
Tensor random_normal(at::IntArrayRef shape, uint64_t seed, at::ScalarType dtype = at::kDouble);

// Return a float64 vector on the CPU, for angles, times or step numbers.
Tensor float64_vector(std::initializer_list<double> values);
Tensor float64_vector(const std::vector<double>& values);

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_SUPPORT_RANDOM_TENSORS_H_
