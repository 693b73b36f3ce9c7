#include "halfstep/diffusion/angle.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "halfstep/core/error.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

TEST(Angle, LogsnrAndPhiAreInverse) {
  const Tensor logsnr = at::linspace(-20, 20, 81, at::TensorOptions().dtype(at::kDouble));
  EXPECT_TENSOR_CLOSE(logsnr_of_phi(phi_of_logsnr(logsnr)), logsnr);
}

TEST(Angle, LogsnrIsTheLogOfAlphaSquaredOverSigmaSquared) {
  const Tensor phi = at::linspace(0.01, 1.56, 64, at::TensorOptions().dtype(at::kDouble));
  EXPECT_TENSOR_CLOSE(logsnr_of_phi(phi), (phi.cos().square() / phi.sin().square()).log());
}

TEST(Angle, NoNoiseIsInfiniteLogsnr) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(logsnr_of_phi(test::float64_vector({0.0}))[0].item<double>(), infinity);
  EXPECT_EQ(phi_of_logsnr(infinity), 0.0);
  EXPECT_EQ(phi_of_logsnr(-infinity), kHalfPi);
  EXPECT_LT(logsnr_of_phi(test::float64_vector({kHalfPi}))[0].item<double>(), -70.0);
}

TEST(Angle, ScalarAndTensorAreTheSameFunction) {
  const std::vector<double> values = {-20.0, -3.3, 0.0, 7.0, 20.0};
  const Tensor phi = phi_of_logsnr(test::float64_vector(values));
  for (size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(phi[static_cast<int64_t>(i)].item<double>(), phi_of_logsnr(values[i]),
                2 * test::kFloat64Rounding);
  }
}

TEST(Angle, CoefficientTakesTypeAndRankOfTheImages) {
  const Tensor images = test::random_normal({3, 2, 4, 4}, 1, at::kFloat);
  const Tensor factor = per_example(images, test::float64_vector({0.1, 0.2, 0.3}));
  EXPECT_EQ(factor.scalar_type(), at::kFloat);
  EXPECT_EQ(factor.sizes(), (std::vector<int64_t>{3, 1, 1, 1}));
  EXPECT_EQ(factor.flatten()[1].item<float>(), 0.2f);
}

TEST(Angle, OneCoefficientForEachExampleIsRequired) {
  const Tensor images = at::zeros({3, 2, 4, 4});
  EXPECT_THROW(per_example(images, test::float64_vector({0.1, 0.2})), ConfigError);
  EXPECT_THROW(per_example(images, at::zeros({3, 1})), ConfigError);
  EXPECT_THROW(diffuse(images, at::zeros({3, 1, 4, 4}), at::zeros({3})), ConfigError);
}

TEST(Diffuse, IsDataAtZeroAndNoiseAtHalfPi) {
  const Tensor x = test::random_normal({2, 3, 4, 4}, 2, at::kFloat);
  const Tensor eps = test::random_normal({2, 3, 4, 4}, 3, at::kFloat);
  EXPECT_TENSOR_NEAR(diffuse(x, eps, test::float64_vector({0.0, 0.0})), x, 0.0);
  EXPECT_TENSOR_CLOSE(diffuse(x, eps, test::float64_vector({kHalfPi, kHalfPi})), eps);
}

TEST(Diffuse, GivesEachExampleItsOwnAngle) {
  const Tensor x = test::random_normal({2, 3, 4, 4}, 2);
  const Tensor eps = test::random_normal({2, 3, 4, 4}, 3);
  const Tensor z = diffuse(x, eps, test::float64_vector({0.3, 1.1}));
  EXPECT_TENSOR_CLOSE(z[0], std::cos(0.3) * x[0] + std::sin(0.3) * eps[0]);
  EXPECT_TENSOR_CLOSE(z[1], std::cos(1.1) * x[1] + std::sin(1.1) * eps[1]);
}

}  // namespace
}  // namespace halfstep
