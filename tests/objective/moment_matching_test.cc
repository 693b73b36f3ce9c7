#include "halfstep/objective/moment_matching.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cmath>

#include "halfstep/diffusion/ancestral.h"
#include "halfstep/diffusion/angle.h"
#include "tests/support/gaussian.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

std::vector<RandomKey> keys(uint32_t count) {
  std::vector<RandomKey> keys;
  for (uint32_t e = 0; e < count; ++e)
    keys.push_back({.seed = 3, .purpose = Purpose::time, .index = 5, .example = e});
  return keys;
}

TEST(MomentAngles, StepBeginsOnTheGridAndEndsAnywhereWithinIt) {
  constexpr int64_t kSteps = 4;
  constexpr uint32_t kCount = 4000;
  const Schedule schedule;
  const StepAngles angles = moment_angles(schedule, kSteps, keys(kCount));
  EXPECT_TRUE(angles.phi_m.empty());
  const Tensor begins = schedule.t(angles.phi_t) * kSteps;
  const Tensor ends = schedule.t(angles.phi_s) * kSteps;
  Tensor within = at::empty({kCount}, at::kDouble);
  std::vector<int64_t> counts(kSteps);
  for (int64_t e = 0; e < kCount; ++e) {
    const double t = begins[e].item<double>();
    const double s = ends[e].item<double>();
    const double end = std::round(t);
    EXPECT_NEAR(t, end, 1e-12);
    EXPECT_LT(s, t);
    EXPECT_GT(s, end - 1.0);
    within[e] = t - s;
    ++counts.at(static_cast<size_t>(end) - 1);
  }
  EXPECT_NEAR(within.mean().item<double>(), 0.5, test::kSigmas / std::sqrt(12.0 * kCount));
  for (const int64_t count : counts)
    EXPECT_NEAR(count, kCount / kSteps, test::kSigmas * std::sqrt(kCount * 0.25 * 0.75));
  EXPECT_TRUE(at::equal(moment_angles(schedule, kSteps, keys(kCount)).phi_s, angles.phi_s));
}

TEST(AuxiliaryLoss, IsItsDefinitionForEveryOutput) {
  const Tensor phi = at::tensor({0.3, 1.2}, at::kDouble);
  const auto draw = [](uint64_t seed) { return test::random_normal({2, 2, 3, 3}, seed); };
  const Tensor z = draw(1);
  const Tensor sample = draw(2);
  const Prediction teacher = predict(Output::v, draw(3), z, phi);
  const auto squares = [](const Tensor& a, const Tensor& b) {
    return (a - b).square().flatten(1).mean(1);
  };
  for (const Output output : {Output::x, Output::eps, Output::v, Output::x_and_eps}) {
    SCOPED_TRACE(name_of(output));
    const Tensor raw = output == Output::x_and_eps ? at::cat({draw(4), draw(5)}, 1) : draw(4);
    const Tensor x = output == Output::x_and_eps
                         ? predict(Output::v, own_output(output, raw, phi), z, phi).x
                         : predict(output, raw, z, phi).x;
    EXPECT_TENSOR_CLOSE(auxiliary_loss(output, raw, z, phi, sample, teacher),
                        (squares(sample, x) + squares(teacher.x, x)) / phi.sin().square());
  }
}

TEST(MomentLoss, GradientIsTheWeightedDifference) {
  Tensor sample = test::random_normal({3, 2, 2}, 1).requires_grad_();
  const Tensor auxiliary = test::random_normal({3, 2, 2}, 2);
  Tensor teacher = test::random_normal({3, 2, 2}, 3);
  teacher[2] = sample.detach()[2] + 1e-4;  // nearer than the bound of the weight
  moment_loss(sample, auxiliary, teacher).sum().backward();
  Tensor weight = (sample.detach() - teacher).abs().flatten(1).mean(1).reciprocal();
  EXPECT_GT(weight[2].item<double>(), 1000.0);
  weight[2] = 100.0;
  EXPECT_TENSOR_CLOSE(sample.grad(), weight.view({3, 1, 1}) * (auxiliary - teacher) / 4.0);
}

TEST(AncestralStep, IsADrawOfTheMarginalFromPureNoise) {
  const Tensor z = test::random_normal({4, 5}, 1);
  const Tensor x = test::random_normal({4, 5}, 2);
  const Tensor noise = test::random_normal({4, 5}, 3);
  const Tensor phi_t = at::full({4}, kHalfPi, at::kDouble);
  const Tensor phi_s = at::tensor({0.1, 0.5, 1.0, 1.5}, at::kDouble);
  EXPECT_TENSOR_CLOSE(ancestral_step(z, x, phi_t, phi_s, 0.0, noise), diffuse(x, noise, phi_s));
}

// Data x ~ N(mean, s^2) per element, whose optimal denoiser is the teacher, and the samples
// mean + a z of a student of one step, z ~ N(0, 1). They are N(mean, a^2), so that the optimal
// denoiser of the samples is the optimal auxiliary network.
class GaussianSamples {
 public:
  static constexpr int64_t kCount = 200'000;

  explicit GaussianSamples(double deviation)
      : z(test::random_normal({1, kCount}, 4)),
        sample(data.mean + deviation * z),
        z_s(ancestral_step(z, sample, at::full({1}, kHalfPi, at::kDouble), phi_s, 0.0,
                           test::random_normal({1, kCount}, 5))),
        teacher(data.best(z_s, phi_s).x) {}

  // Returns the derivative of the loss of moment matching with respect to a, with this auxiliary.
  double slope(const Tensor& auxiliary) const {
    Tensor x = sample.detach().requires_grad_();
    moment_loss(x, auxiliary, teacher).sum().backward();
    return (x.grad() * z).sum().item<double>();
  }

  const test::GaussianData data{.mean = 0.2, .deviation = 0.5};
  const Tensor phi_s = at::tensor({0.6}, at::kDouble);
  Tensor z, sample, z_s, teacher;
};

TEST(MomentMatching, SamplesLikeTheDataHaveTheConditionalMeansOfTheTeacher) {
  const GaussianSamples student(0.5);
  // Fits E[x~ | z_s], which is linear, to the samples.
  const auto mean = [](const Tensor& values) { return values.mean().item<double>(); };
  const double mean_z = mean(student.z_s);
  const double mean_x = mean(student.sample);
  const double slope = mean((student.z_s - mean_z) * (student.sample - mean_x)) /
                       mean((student.z_s - mean_z).square());
  const double tolerance = test::kSigmas / std::sqrt(double{GaussianSamples::kCount});
  const Tensor fitted = mean_x + slope * (student.z_s - mean_z);
  EXPECT_LT((fitted - student.teacher).abs().mean().item<double>(), tolerance);
  EXPECT_NEAR(student.slope(fitted), 0.0, tolerance);
}

TEST(MomentMatching, SamplesOfAnotherVarianceAreMovedTowardsThatOfTheData) {
  for (const double deviation : {0.3, 0.45, 0.55, 0.7}) {
    SCOPED_TRACE(deviation);
    const GaussianSamples student(deviation);
    const test::GaussianData samples{.mean = student.data.mean, .deviation = deviation};
    const double slope = student.slope(samples.best(student.z_s, student.phi_s).x);
    if (deviation < student.data.deviation) {  // descent makes the deviation larger
      EXPECT_LT(slope, -0.01);
    } else {
      EXPECT_GT(slope, 0.01);
    }
  }
}

}  // namespace
}  // namespace halfstep
