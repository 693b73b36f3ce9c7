#include "halfstep/diffusion/ddim.h"

#include <gtest/gtest.h>

#include "halfstep/diffusion/angle.h"
#include "tests/support/gaussian.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

TEST(DdimStep, IsThePapersEquationEight) {
  const Tensor phi_t = test::float64_vector({0.2, 0.9, 1.5});
  const Tensor phi_s = test::float64_vector({0.1, 0.85, 0.3});
  const Tensor z = test::random_normal({3, 2, 4, 4}, 1);
  const Prediction said = predict(Output::v, test::random_normal(z.sizes(), 2), z, phi_t);
  const Tensor eps = (z - per_example(z, phi_t.cos()) * said.x) / per_example(z, phi_t.sin());
  EXPECT_TENSOR_CLOSE(ddim_step(said, phi_s),
                      per_example(z, phi_s.cos()) * said.x + per_example(z, phi_s.sin()) * eps);
}

TEST(DdimStep, TurnsZByTheAngleAlongV) {
  const Tensor phi_t = test::float64_vector({0.2, 0.9, kHalfPi});
  const Tensor phi_s = test::float64_vector({0.1, 0.85, 0.3});
  const Tensor z = test::random_normal({3, 2, 4, 4}, 1);
  const Tensor v = test::random_normal(z.sizes(), 2);
  const Tensor turn = phi_t - phi_s;
  EXPECT_TENSOR_CLOSE(ddim_step(predict(Output::v, v, z, phi_t), phi_s),
                      per_example(z, turn.cos()) * z - per_example(z, turn.sin()) * v);
}

TEST(DdimStep, OfStandardNormalDataIsTheCosineOfTheTurn) {
  const Tensor phi_t = test::float64_vector({0.2, 0.9, kHalfPi});
  const Tensor phi_s = test::float64_vector({0.1, 0.0, 0.3});
  const Tensor z = test::random_normal({3, 2, 4, 4}, 1);
  const test::GaussianData standard;
  EXPECT_TENSOR_CLOSE(ddim_step(standard.best(z, phi_t), phi_s),
                      per_example(z, (phi_t - phi_s).cos()) * z);
}

TEST(DdimStep, ToDataIsXHatItself) {
  const Prediction said{.x = test::random_normal({2, 3, 4, 4}, 1, at::kFloat),
                        .eps = test::random_normal({2, 3, 4, 4}, 2, at::kFloat)};
  EXPECT_TENSOR_NEAR(ddim_step(said, test::float64_vector({0.0, 0.0})), said.x, 0.0);
}

}  // namespace
}  // namespace halfstep
