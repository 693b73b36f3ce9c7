#include "halfstep/diffusion/betas.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halfstep/diffusion/angle.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::kFloat64Rounding;

TEST(Betas, GoThroughAnglesAndBack) {
  const std::vector<double> betas = {1e-4, 0.3, 0.02, 0.999, 1.0};
  const std::vector<double> phi = phi_of_betas(betas);
  double alpha_squared = 1.0;
  for (size_t k = 0; k < betas.size(); ++k) {
    alpha_squared *= 1.0 - betas[k];
    EXPECT_NEAR(std::pow(std::cos(phi[k]), 2), alpha_squared, 8 * kFloat64Rounding);
    EXPECT_NEAR(betas_of_phi(phi)[k], betas[k], 8 * kFloat64Rounding);
  }
  EXPECT_EQ(phi.back(), kHalfPi);
}

TEST(Betas, ScaledLinearIsLinearInItsRoot) {
  const std::vector<double> betas = scaled_linear_betas(5, 0.01, 0.09);
  for (int k = 0; k < 5; ++k)
    EXPECT_NEAR(std::sqrt(betas[static_cast<size_t>(k)]), 0.1 + 0.05 * k, 4 * kFloat64Rounding);
}

TEST(Betas, SquaredCosineFollowsItsFormulaToTheCap) {
  const int timesteps = 50;
  const std::vector<double> betas = squared_cosine_betas(timesteps);
  const std::vector<double> phi = phi_of_betas(betas);
  const double first = std::cos(0.008 / 1.008 * kHalfPi);
  for (int k = 0; k + 1 < timesteps; ++k) {
    const double t = static_cast<double>(k + 1) / timesteps;
    EXPECT_NEAR(std::cos(phi[static_cast<size_t>(k)]),
                std::cos((t + 0.008) / 1.008 * kHalfPi) / first, 64 * kFloat64Rounding);
  }
  EXPECT_EQ(betas.back(), 0.999);
}

TEST(Betas, ZeroTerminalSnrKeepsTheFirstAndEndsInNoise) {
  const std::vector<double> phi = phi_of_betas(linear_betas(100, 1e-3, 0.05));
  const std::vector<double> moved = with_zero_terminal_snr(phi);
  EXPECT_NEAR(moved.front(), phi.front(), 1e-13);
  EXPECT_EQ(moved.back(), kHalfPi);
  // The new alpha is an affine function of the old one.
  const auto alpha = [](const std::vector<double>& angles, size_t k) {
    return std::cos(angles[k]);
  };
  const double slope = (alpha(moved, 50) - alpha(moved, 0)) / (alpha(phi, 50) - alpha(phi, 0));
  EXPECT_NEAR(alpha(moved, 80) - alpha(moved, 50), slope * (alpha(phi, 80) - alpha(phi, 50)),
              64 * kFloat64Rounding);
}

}  // namespace
}  // namespace halfstep
