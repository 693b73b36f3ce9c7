#include "halfstep/diffusion/solvers.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/ddim.h"
#include "tests/support/gaussian.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

struct Steps {
  Tensor phi_r = test::float64_vector({0.5, 1.5, 1.57});
  Tensor phi_t = test::float64_vector({0.3, 1.4, 0.6});
  Tensor phi_s = test::float64_vector({0.1, 1.39, 0.5});
  Tensor z = test::random_normal({3, 2, 4, 4}, 1);
};

// dz/dphi = v. If v is the same at both ends of the step, both methods integrate it exactly.
TEST(HeunStep, OfAConstantVIsEulersStep) {
  const Steps s;
  const Tensor v = test::random_normal(s.z.sizes(), 2);
  const Tensor exact = s.z + per_example(v, s.phi_s - s.phi_t) * v;
  EXPECT_TENSOR_CLOSE(euler_step(s.z, v, s.phi_t, s.phi_s), exact);
  EXPECT_TENSOR_CLOSE(heun_step(s.z, v, v, s.phi_t, s.phi_s), exact);
}

// v = a + b phi integrates to a phi + b phi^2 / 2.
TEST(HeunStep, IsExactForAVLinearInPhi) {
  const Steps s;
  const Tensor a = test::random_normal(s.z.sizes(), 2);
  const Tensor b = test::random_normal(s.z.sizes(), 3);
  const auto v_at = [&](const Tensor& phi) { return a + per_example(b, phi) * b; };
  const auto integral = [&](const Tensor& phi) {
    return per_example(a, phi) * a + per_example(b, 0.5 * phi.square()) * b;
  };
  EXPECT_TENSOR_CLOSE(heun_step(s.z, v_at(s.phi_t), v_at(s.phi_s), s.phi_t, s.phi_s),
                      s.z + integral(s.phi_s) - integral(s.phi_t));
}

// Lu et al. 2022, Algorithm 2, in their own variable lambda = log(alpha / sigma).
TEST(DpmPlusPlus2M, IsTheAlgorithmInLambda) {
  const Steps s;
  const Tensor x_t = test::random_normal(s.z.sizes(), 2);
  const Tensor x_r = test::random_normal(s.z.sizes(), 3);
  const auto lambda = [](const Tensor& phi) { return 0.5 * logsnr_of_phi(phi); };
  const Tensor h = lambda(s.phi_s) - lambda(s.phi_t);
  const Tensor r = (lambda(s.phi_t) - lambda(s.phi_r)) / h;
  const Tensor d = per_example(x_t, 1.0 + 0.5 / r) * x_t - per_example(x_r, 0.5 / r) * x_r;
  const Tensor z_s = per_example(s.z, s.phi_s.sin() / s.phi_t.sin()) * s.z -
                     per_example(d, s.phi_s.cos() * (-h).expm1()) * d;
  EXPECT_TENSOR_CLOSE(dpmpp_2m_step(s.z, x_t, x_r, s.phi_r, s.phi_t, s.phi_s), z_s);
}

TEST(DpmPlusPlus2M, WithOnePredictionIsTheDdimStep) {
  const Steps s;
  const Prediction said = predict(Output::v, test::random_normal(s.z.sizes(), 2), s.z, s.phi_t);
  EXPECT_TENSOR_CLOSE(dpmpp_2m_step(s.z, said.x, said.x, s.phi_r, s.phi_t, s.phi_s),
                      ddim_step(said, s.phi_s));
}

TEST(DpmPlusPlus2M, IsFiniteAfterAStepFromPureNoise) {
  const Steps s;
  const Tensor phi_r = at::full_like(s.phi_r, kHalfPi);
  const Tensor x_t = test::random_normal(s.z.sizes(), 2);
  const Tensor x_r = test::random_normal(s.z.sizes(), 3);
  const Tensor z_s = dpmpp_2m_step(s.z, x_t, x_r, phi_r, s.phi_t, s.phi_s);
  EXPECT_TRUE(z_s.isfinite().all().item<bool>());
}

TEST(DpmPlusPlus2M, IsSecondOrderOnAGridEvenInLambda) {
  const test::GaussianData data{.mean = 0.3, .deviation = 0.5};
  const Tensor start = test::random_normal({1, 1, 4, 4}, 1);
  const auto error = [&](int num_steps) {
    // From log-SNR -8 to 8.
    const auto phi = [&](int k) {
      return phi_of_logsnr(test::float64_vector({-8.0 + 16.0 * k / num_steps}));
    };
    Tensor z = start;
    Tensor x_r;
    for (int k = 0; k < num_steps; ++k) {
      const Prediction said = data.best(z, phi(k));
      z = k == 0 ? ddim_step(said, phi(1))
                 : dpmpp_2m_step(z, said.x, x_r, phi(k - 1), phi(k), phi(k + 1));
      x_r = said.x;
    }
    return (z - data.flow(start, phi(0), phi(num_steps))).abs().max().item<double>();
  };
  for (const int num_steps : {64, 128}) {
    EXPECT_NEAR(std::log2(error(num_steps) / error(2 * num_steps)), 2.0, 0.1) << num_steps;
  }
}

}  // namespace
}  // namespace halfstep
