#include "halfstep/diffusion/ancestral.h"

#include <gtest/gtest.h>

#include <limits>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "tests/support/gaussian.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

constexpr double kSmall = 0.0;
constexpr double kLarge = 1.0;

// Steps of all kinds: fine, coarse, from pure noise, and to data.
struct Steps {
  Tensor phi_t = test::float64_vector({0.001, 0.3, 0.9, 1.2, 1.57, kHalfPi, kHalfPi, 0.7});
  Tensor phi_s = test::float64_vector({0.0005, 0.299, 0.2, 1.1, 1.56, 1.5, 0.01, 0.0});
};

// The posterior is linear: mean = of_z z + of_x x.
struct Coefficients {
  Tensor of_z, of_x, variance;

  Coefficients(const Steps& steps, double fraction) {
    const Tensor one = at::ones_like(steps.phi_t).unsqueeze(1);
    const Tensor none = at::zeros_like(one);
    of_z = ancestral_posterior(one, none, steps.phi_t, steps.phi_s, fraction).mean.squeeze(1);
    const Gaussian of_data = ancestral_posterior(none, one, steps.phi_t, steps.phi_s, fraction);
    of_x = of_data.mean.squeeze(1);
    variance = of_data.std.square();
  }
};

// If z_t ~ q(z_t | x), the true posterior gives z_s ~ q(z_s | x) = N(cos(phi_s) x, sin^2(phi_s)).
TEST(AncestralPosterior, SmallVarianceKeepsTheMarginalsOfAKnownX) {
  const Steps steps;
  const Coefficients c(steps, kSmall);
  EXPECT_TENSOR_CLOSE(c.of_z * steps.phi_t.cos() + c.of_x, steps.phi_s.cos());
  const Tensor sigma_t = steps.phi_t.sin();
  EXPECT_TENSOR_CLOSE(c.of_z.square() * sigma_t.square() + c.variance, steps.phi_s.sin().square());
}

// For data ~ N(0, 1), where x_hat = cos(phi) z, the upper bound of the variance keeps z ~ N(0, 1).
TEST(AncestralPosterior, LargeVarianceKeepsTheMarginalsOfStandardNormalData) {
  const Steps steps;
  const Coefficients c(steps, kLarge);
  const Tensor of_z = c.of_z + c.of_x * steps.phi_t.cos();
  EXPECT_TENSOR_CLOSE(of_z.square() + c.variance, at::ones_like(of_z));
}

// For data ~ N(mu, s^2), the true variance of z_s given z_t lies between the bounds (Ho et al.
// 2020, section 3.2).
TEST(AncestralPosterior, VarianceOfGaussianDataLiesBetweenTheBounds) {
  const Steps steps;
  const test::GaussianData data{.mean = 0.3, .deviation = 0.5};
  const Tensor covariance_ratio = steps.phi_t.cos() / steps.phi_s.cos();
  // Cov(z_s, z_t) = cov_ratio Var(z_s), so Var(z_s | z_t) = Var(z_s) - Cov^2 / Var(z_t)
  const Tensor var_s = data.variance_at(steps.phi_s);
  const Tensor truth = var_s - (covariance_ratio * var_s).square() / data.variance_at(steps.phi_t);
  // At phi_s = 0 the lower bound is 0 and the true variance is a difference of equal numbers.
  const Tensor room = at::full_like(truth, test::kFloat64Tolerance);
  EXPECT_TRUE((truth >= Coefficients(steps, kSmall).variance - room).all().item<bool>());
  EXPECT_TRUE((truth <= Coefficients(steps, kLarge).variance + room).all().item<bool>());
}

TEST(AncestralPosterior, MeanIsThePapersEquationThree) {
  Steps steps;
  const Tensor inside = (steps.phi_t < kHalfPi).logical_and(steps.phi_s > 0.0);
  const Tensor phi_t = steps.phi_t.index({inside});
  const Tensor phi_s = steps.phi_s.index({inside});
  const Tensor z = test::random_normal({phi_t.size(0), 2, 3, 3}, 1);
  const Tensor x = test::random_normal(z.sizes(), 2);
  const Tensor r = (logsnr_of_phi(phi_t) - logsnr_of_phi(phi_s)).exp();
  const Tensor paper = per_example(z, r * phi_s.cos() / phi_t.cos()) * z +
                       per_example(x, (1.0 - r) * phi_s.cos()) * x;
  EXPECT_TENSOR_CLOSE(ancestral_posterior(z, x, phi_t, phi_s, kSmall).mean, paper);
}

TEST(AncestralPosterior, VarianceBetweenTheBoundsIsInterpolatedInItsLogarithm) {
  const Steps steps;
  const Tensor small = Coefficients(steps, kSmall).variance;
  const Tensor large = Coefficients(steps, kLarge).variance;
  for (const double fraction : {0.0, 0.3, 0.5, 1.0}) {
    EXPECT_TENSOR_CLOSE(Coefficients(steps, fraction).variance,
                        small.pow(1.0 - fraction) * large.pow(fraction));
  }
}

TEST(AncestralPosterior, IsFiniteFromPureNoise) {
  const Tensor phi_t = test::float64_vector({kHalfPi, kHalfPi});
  const Tensor phi_s = test::float64_vector({1.5, 0.1});
  const Tensor z = test::random_normal({2, 3, 4, 4}, 1, at::kFloat);
  const Tensor x = test::random_normal({2, 3, 4, 4}, 2, at::kFloat);
  for (const double variance : {kSmall, 0.5, kLarge}) {
    const Gaussian posterior = ancestral_posterior(z, x, phi_t, phi_s, variance);
    // Pure noise does not depend on x.
    EXPECT_TENSOR_CLOSE(posterior.mean, per_example(x, phi_s.cos()) * x);
    EXPECT_TRUE(posterior.std.isfinite().all().item<bool>());
  }
}

TEST(AncestralStep, ToDataIsXHatWhateverTheNoise) {
  const Tensor phi_t = test::float64_vector({0.3, kHalfPi});
  const Tensor phi_s = test::float64_vector({0.0, 0.0});
  const Tensor z = test::random_normal({2, 3, 4, 4}, 1, at::kFloat);
  const Tensor x = test::random_normal({2, 3, 4, 4}, 2, at::kFloat);
  const Tensor noise = test::random_normal({2, 3, 4, 4}, 3, at::kFloat);
  for (const double variance : {kSmall, 0.5, kLarge}) {
    EXPECT_TENSOR_NEAR(ancestral_step(z, x, phi_t, phi_s, variance, noise), x, 0.0);
  }
}

TEST(AncestralStep, IsMeanPlusDeviationTimesNoise) {
  const Tensor phi_t = test::float64_vector({0.3, 1.4});
  const Tensor phi_s = test::float64_vector({0.2, 0.6});
  const Tensor z = test::random_normal({2, 3, 4, 4}, 1);
  const Tensor x = test::random_normal({2, 3, 4, 4}, 2);
  const Tensor noise = test::random_normal({2, 3, 4, 4}, 3);
  const Gaussian posterior = ancestral_posterior(z, x, phi_t, phi_s, 0.3);
  EXPECT_TENSOR_CLOSE(ancestral_step(z, x, phi_t, phi_s, 0.3, noise),
                      posterior.mean + posterior.std.view({2, 1, 1, 1}) * noise);
}

TEST(AncestralStep, RejectsAFractionOutsideZeroToOne) {
  const Tensor z = at::zeros({1, 1, 2, 2});
  const Tensor phi_t = test::float64_vector({1.0});
  const Tensor phi_s = test::float64_vector({0.5});
  for (const double variance : {-0.1, 1.1, std::numeric_limits<double>::quiet_NaN()}) {
    EXPECT_THROW(ancestral_step(z, z, phi_t, phi_s, variance, z), ConfigError);
  }
  EXPECT_THROW(ancestral_step(z, z, phi_t, phi_s, 0.5, at::zeros({1, 1, 2, 1})), ConfigError);
}

}  // namespace
}  // namespace halfstep
