#include "halfstep/diffusion/weighting.h"

#include <gtest/gtest.h>

#include <vector>

#include "halfstep/diffusion/angle.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

const std::vector<Output> kOutputs = {Output::x, Output::eps, Output::v, Output::x_and_eps};
const std::vector<Weighting> kWeightings = {Weighting::constant, Weighting::snr,
                                            Weighting::snr_trunc, Weighting::snr_plus_one};

// The weight of |x - x_hat|^2 in the paper.
Tensor weight_of_x(Weighting weighting, const Tensor& phi) {
  const Tensor snr = logsnr_of_phi(phi).exp();
  switch (weighting) {
    case Weighting::constant:
      return at::ones_like(phi);
    case Weighting::snr:
      return snr;
    case Weighting::snr_trunc:
      return snr.clamp_min(1.0);
    case Weighting::snr_plus_one:
      break;
  }
  return snr + 1.0;
}

TEST(LossWeight, OfOutputXIsThePapersWeight) {
  const Tensor phi = test::float64_vector({0.01, 0.3, 0.7853, 0.7855, 1.2, 1.57});
  for (const Weighting weighting : kWeightings) {
    const Tensor paper = weight_of_x(weighting, phi);
    EXPECT_TENSOR_CLOSE(loss_weight(Output::x, weighting, phi) / paper, at::ones_like(paper));
  }
}

// The same prediction has the same loss in all four outputs.
TEST(WeightedLoss, IsTheSameForEveryOutputOfOnePrediction) {
  const Tensor phi = test::float64_vector({0.05, 0.4, 0.9, 1.3, 1.55});
  const Prediction target{.x = test::random_normal({5, 3, 4, 4}, 1),
                          .eps = test::random_normal({5, 3, 4, 4}, 2)};
  const Tensor z = diffuse(target.x, target.eps, phi);
  const Prediction said = predict(Output::v, test::random_normal(z.sizes(), 3), z, phi);
  const Tensor mean_square_x = (said.x - target.x).square().flatten(1).mean(1);
  for (const Weighting weighting : kWeightings) {
    const Tensor expected = weight_of_x(weighting, phi) * mean_square_x;
    for (const Output output : kOutputs) {
      const Tensor raw = output == Output::x_and_eps ? at::cat({said.x, said.eps}, 1)
                                                     : own_output(output, said, phi);
      const Tensor loss = weighted_loss(output, weighting, raw, target, phi);
      EXPECT_TENSOR_CLOSE(loss / expected, at::ones_like(expected));
    }
  }
}

TEST(WeightedLoss, OfAPerfectPredictionIsZero) {
  const Tensor phi = test::float64_vector({0.2, kHalfPi});
  const Prediction target{.x = test::random_normal({2, 3, 4, 4}, 1, at::kFloat),
                          .eps = test::random_normal({2, 3, 4, 4}, 2, at::kFloat)};
  for (const Weighting weighting : kWeightings) {
    for (const Output output : {Output::x, Output::v, Output::x_and_eps}) {
      const Tensor raw = output == Output::x_and_eps ? at::cat({target.x, target.eps}, 1)
                                                     : own_output(output, target, phi);
      EXPECT_TENSOR_NEAR(weighted_loss(output, weighting, raw, target, phi), at::zeros({2}), 0.0);
    }
  }
}

// t is drawn from (0, 1], so the ends are the first step of a fine grid and t = 1.
// require_compatible rejects the case that cannot be finite (eps at pi/2).
TEST(LossWeight, IsFiniteAtTheEnds) {
  const double first = Schedule().phi(1.0 / 8192);
  const Tensor data_end = test::float64_vector({first});
  const Tensor noise_end = test::float64_vector({Schedule().phi(1.0)});
  const Tensor pure_noise = test::float64_vector({kHalfPi});
  for (const Weighting weighting : kWeightings) {
    for (const Output output : kOutputs) {
      for (const Tensor& phi : {data_end, noise_end, pure_noise}) {
        if (output == Output::eps && phi.is_same(pure_noise)) continue;
        const Tensor weight = loss_weight(output, weighting, phi).to(at::kFloat);
        EXPECT_TRUE(weight.isfinite().all().item<bool>());
        EXPECT_GE(weight.item<float>(), 0.0f);
      }
    }
  }
  for (const Weighting weighting : kWeightings) {
    // The weight of v is at most 1 everywhere, also at phi = 0.
    EXPECT_LE(loss_weight(Output::v, weighting, test::float64_vector({0.0})).item<double>(), 1.0);
  }
}

TEST(LossWeight, OfSnrPlusOneOnVIsOne) {
  const Tensor phi = test::float64_vector({0.0, 0.5, kHalfPi});
  EXPECT_TENSOR_NEAR(loss_weight(Output::v, Weighting::snr_plus_one, phi), at::ones_like(phi), 0.0);
}

TEST(WeightedLoss, GradientIsWeightTimesTwiceTheMeanResidual) {
  const Tensor phi = test::float64_vector({0.4, 1.2});
  const Prediction target{.x = test::random_normal({2, 3, 4, 4}, 1),
                          .eps = test::random_normal({2, 3, 4, 4}, 2)};
  for (const Weighting weighting : kWeightings) {
    Tensor raw = test::random_normal({2, 3, 4, 4}, 3).requires_grad_();
    weighted_loss(Output::v, weighting, raw, target, phi).sum().backward();
    const Tensor residual = raw.detach() - v_of(target, phi);
    const Tensor weight = loss_weight(Output::v, weighting, phi).view({2, 1, 1, 1});
    EXPECT_TENSOR_CLOSE(raw.grad(), weight * 2.0 * residual / 48.0);
  }
}

TEST(WeightedLoss, TakesTheResidualInFloat32AtLeast) {
  const Tensor phi = test::float64_vector({0.7});
  const Prediction target{.x = test::random_normal({1, 3, 8, 8}, 1, at::kBFloat16),
                          .eps = test::random_normal({1, 3, 8, 8}, 2, at::kBFloat16)};
  for (const Output output : {Output::x, Output::v, Output::x_and_eps}) {
    const int64_t channels = output == Output::x_and_eps ? 6 : 3;
    const Tensor raw = test::random_normal({1, channels, 8, 8}, 3, at::kBFloat16);
    const Tensor loss = weighted_loss(output, Weighting::snr_trunc, raw, target, phi);
    const Prediction wide{.x = target.x.to(at::kFloat), .eps = target.eps.to(at::kFloat)};
    ASSERT_EQ(loss.scalar_type(), at::kFloat);
    EXPECT_TENSOR_CLOSE(loss,
                        weighted_loss(output, Weighting::snr_trunc, raw.to(at::kFloat), wide, phi));
  }
}

}  // namespace
}  // namespace halfstep
