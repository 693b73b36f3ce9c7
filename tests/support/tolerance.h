// The tolerances of all tests and a matcher for tensors.
#ifndef HALFSTEP_TESTS_SUPPORT_TOLERANCE_H_
#define HALFSTEP_TESTS_SUPPORT_TOLERANCE_H_

#include <gtest/gtest.h>

#include "halfstep/core/tensor.h"

namespace halfstep::test {

// Tolerances by the type of the computation, relative to the largest magnitude among the expected
// values.
//
//   float64   1e-12   4500 roundings of 2.2e-16: ample for a chain of some hundred operations
//   float32   1e-5    170 roundings of 6e-8: the minimum of golden/README.md
//   bfloat16  2^-6    4 roundings of 2^-8: one for the input and the others within a block
inline constexpr double kFloat64Tolerance = 1e-12;
inline constexpr double kFloat32Tolerance = 1e-5;
inline constexpr double kBFloat16Tolerance = 0x1p-6;

// For a whole bfloat16 network compared with float32: about ten blocks, each of which adds a few
// roundings to a sum that the next normalisation rescales. 4 times the tolerance of a block.
inline constexpr double kBFloat16NetworkTolerance = 4.0 * kBFloat16Tolerance;

// For statistics of random draws, in standard deviations. Draws are determined by their keys, so a
// test that passes once always passes; a wrong distribution is off by hundreds.
inline constexpr double kSigmas = 4.0;

// One rounding of float64. Results that are exact up to the last bits are compared with a few of
// these.
inline constexpr double kFloat64Rounding = 0x1p-52;

// For golden vectors, in errors of the official code's own float32 run, and at least the float32
// tolerance above (see golden/README.md).
inline constexpr double kGoldenErrors = 3.0;

// Returns the relative tolerance for an element type.
double relative_tolerance(at::ScalarType dtype);

// Returns the largest magnitude in a tensor, or 1 if the tensor is empty or all zeros.
double scale_of(const Tensor& tensor);

// Succeeds if the shapes are equal and no element differs by more than `tolerance`. Equal
// infinities match; NaN never does. The message has the largest error, its position, both values
// and the tolerance.
::testing::AssertionResult tensor_near(const Tensor& actual, const Tensor& expected,
                                       double tolerance);

namespace internal {
::testing::AssertionResult tensor_near_pred(const char* actual_text, const char* expected_text,
                                            const char* tolerance_text, const Tensor& actual,
                                            const Tensor& expected, double tolerance);
}  // namespace internal

}  // namespace halfstep::test

// Expects tensors to be equal up to an absolute tolerance.
#define EXPECT_TENSOR_NEAR(actual, expected, tolerance) \
  EXPECT_PRED_FORMAT3(::halfstep::test::internal::tensor_near_pred, actual, expected, tolerance)

// Expects tensors to be equal up to the tolerance for the type of `actual`, relative to the largest
// expected value.
#define EXPECT_TENSOR_CLOSE(actual, expected)                                       \
  EXPECT_TENSOR_NEAR(actual, expected,                                              \
                     ::halfstep::test::relative_tolerance((actual).scalar_type()) * \
                         ::halfstep::test::scale_of(expected))

#endif  // HALFSTEP_TESTS_SUPPORT_TOLERANCE_H_
