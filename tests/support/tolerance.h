// How near is near enough, in one place, and the matcher that says how far off a tensor is.
#ifndef HALFSTEP_TESTS_SUPPORT_TOLERANCE_H_
#define HALFSTEP_TESTS_SUPPORT_TOLERANCE_H_

#include <gtest/gtest.h>

#include "halfstep/core/tensor.h"

namespace halfstep::test {

// Relative to the largest magnitude among the expected values, by the type the work was done in.
//
//   float64   1e-12   4500 roundings of 2.2e-16: a chain of some hundred operations, with room
//   float32   1e-5    the floor of golden/README.md; 170 roundings of 6e-8
//   bfloat16  2^-6    4 roundings of 2^-8: one rounding on the way in, the rest along a block
inline constexpr double kFloat64Tolerance = 1e-12;
inline constexpr double kFloat32Tolerance = 1e-5;
inline constexpr double kBFloat16Tolerance = 0x1p-6;

// A whole bfloat16 network against float32: some ten blocks, each adding a few roundings to a sum
// that the next normalisation scales up again. 4 times the row of one block.
inline constexpr double kBFloat16NetworkTolerance = 4.0 * kBFloat16Tolerance;

// Statistics of keyed draws: within this many standard deviations. A draw is fixed by its key, so
// what passes once passes for ever; a wrong distribution is some hundred away.
inline constexpr double kSigmas = 4.0;

// One rounding of float64; what is exact but for the last bit is compared with a few of these.
inline constexpr double kFloat64Rounding = 0x1p-52;

// Golden vectors: within 3 times the error of the official code's own float32 run, but never
// asked for less than the floor above. (golden/README.md)
inline constexpr double kGoldenErrors = 3.0;

// The row of the table for a tensor's element type.
double relative_tolerance(at::ScalarType dtype);

// The largest magnitude in a tensor; 1 for an empty one or one of zeros.
double scale_of(const Tensor& tensor);

// Success where the shapes agree and no element is further than `tolerance` from the expected one.
// The same infinity on both sides agrees, NaN never does. The message has the largest error, where
// it is, both values and the tolerance.
::testing::AssertionResult tensor_near(const Tensor& actual, const Tensor& expected,
                                       double tolerance);

namespace internal {
::testing::AssertionResult tensor_near_pred(const char* actual_text, const char* expected_text,
                                            const char* tolerance_text, const Tensor& actual,
                                            const Tensor& expected, double tolerance);
}  // namespace internal

}  // namespace halfstep::test

// `tolerance` is absolute.
#define EXPECT_TENSOR_NEAR(actual, expected, tolerance) \
  EXPECT_PRED_FORMAT3(::halfstep::test::internal::tensor_near_pred, actual, expected, tolerance)

// The tolerance of the actual tensor's type in the table, relative to the largest expected value.
#define EXPECT_TENSOR_CLOSE(actual, expected)                                       \
  EXPECT_TENSOR_NEAR(actual, expected,                                              \
                     ::halfstep::test::relative_tolerance((actual).scalar_type()) * \
                         ::halfstep::test::scale_of(expected))

#endif  // HALFSTEP_TESTS_SUPPORT_TOLERANCE_H_
