#include "halfstep/diffusion/parameterization.h"

#include <gtest/gtest.h>

#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

const std::vector<Output> kOutputs = {Output::x, Output::eps, Output::v, Output::x_and_eps};

// A known pair, its z, and the output of a network that knows the pair.
struct Known {
  Tensor phi = test::float64_vector({0.05, 0.3, 0.8, 1.2, 1.5});
  Prediction pair{.x = test::random_normal({5, 3, 4, 4}, 1),
                  .eps = test::random_normal({5, 3, 4, 4}, 2)};
  Tensor z = diffuse(pair.x, pair.eps, phi);

  Tensor raw(Output output) const {
    return output == Output::x_and_eps ? at::cat({pair.x, pair.eps}, 1)
                                       : own_output(output, pair, phi);
  }
};

// Output x divides by sin(phi) and output eps by cos(phi), which multiplies roundings by up to 20.
TEST(Prediction, EveryOutputOfAKnownPairGivesThePairBack) {
  const Known known;
  for (const Output output : kOutputs) {
    const Prediction prediction = predict(output, known.raw(output), known.z, known.phi);
    EXPECT_TENSOR_CLOSE(prediction.x, known.pair.x);
    EXPECT_TENSOR_CLOSE(prediction.eps, known.pair.eps);
  }
}

// Whatever the output of the network, z = cos(phi) x + sin(phi) eps.
TEST(Prediction, XAndEpsMakeUpZ) {
  const Known known;
  for (const Output output : kOutputs) {
    const Tensor raw = test::random_normal(known.raw(output).sizes(), 7);
    const Prediction prediction = predict(output, raw, known.z, known.phi);
    EXPECT_TENSOR_CLOSE(diffuse(prediction.x, prediction.eps, known.phi), known.z);
  }
}

TEST(Prediction, OwnOutputOfAPredictionIsTheOutputOfTheNetwork) {
  const Known known;
  for (const Output output : kOutputs) {
    const Tensor raw = test::random_normal(known.raw(output).sizes(), 7);
    const Prediction prediction = predict(output, raw, known.z, known.phi);
    EXPECT_TENSOR_CLOSE(own_output(output, prediction, known.phi),
                        own_output(output, raw, known.phi));
  }
}

// The official `both`: x = sin^2 x_raw + cos (z - sin eps_raw), eps from that x.
TEST(Prediction, XAndEpsIsEquivalentToV) {
  const Known known;
  const Tensor x_raw = test::random_normal(known.z.sizes(), 11);
  const Tensor eps_raw = test::random_normal(known.z.sizes(), 12);
  const Prediction ours =
      predict(Output::x_and_eps, at::cat({x_raw, eps_raw}, 1), known.z, known.phi);
  const Tensor c = per_example(known.z, known.phi.cos());
  const Tensor s = per_example(known.z, known.phi.sin());
  const Tensor official_x = s.square() * x_raw + c * (known.z - s * eps_raw);
  EXPECT_TENSOR_CLOSE(ours.x, official_x);
  EXPECT_TENSOR_CLOSE(ours.eps, (known.z - c * official_x) / s);
  EXPECT_TENSOR_CLOSE(v_of(ours, known.phi), c * eps_raw - s * x_raw);
}

TEST(Prediction, IsFiniteAtPureNoiseExceptForEps) {
  const Tensor phi = test::float64_vector({kHalfPi, kHalfPi});
  const Tensor z = test::random_normal({2, 3, 4, 4}, 1, at::kFloat);
  for (const Output output : {Output::x, Output::v, Output::x_and_eps}) {
    const int64_t channels = output == Output::x_and_eps ? 6 : 3;
    const Tensor raw = test::random_normal({2, channels, 4, 4}, 2, at::kFloat);
    const Prediction prediction = predict(output, raw, z, phi);
    EXPECT_TRUE(prediction.x.isfinite().all().item<bool>());
    EXPECT_TENSOR_CLOSE(prediction.eps, z);
  }
}

TEST(Prediction, XAndEpsNeedsAnEvenNumberOfChannels) {
  const Known known;
  EXPECT_THROW(predict(Output::x_and_eps, known.z, known.z, known.phi), ConfigError);
}

TEST(Clip, KeepsXInRangeAndZAsItIs) {
  const Known known;
  const Prediction clipped = clip(known.pair, known.z, known.phi);
  EXPECT_TENSOR_NEAR(clipped.x, known.pair.x.clamp(-1.0, 1.0), 0.0);
  EXPECT_TENSOR_CLOSE(diffuse(clipped.x, clipped.eps, known.phi), known.z);
}

TEST(Clip, LeavesAPredictionInRangeAlone) {
  Known known;
  known.pair.x.tanh_();
  known.z = diffuse(known.pair.x, known.pair.eps, known.phi);
  const Prediction clipped = clip(known.pair, known.z, known.phi);
  EXPECT_TENSOR_NEAR(clipped.x, known.pair.x, 0.0);
  EXPECT_TENSOR_CLOSE(clipped.eps, known.pair.eps);
}

TEST(RequireCompatible, EpsWithAScheduleThatReachesPureNoiseIsAConfigError) {
  const Schedule to_noise(CosineSchedule{.clip = std::nullopt});
  const Schedule short_of_it(CosineSchedule{});
  const Schedule table(TableSchedule{.phi = {0.5, kHalfPi}});
  EXPECT_THROW(require_compatible(Output::eps, to_noise), ConfigError);
  EXPECT_THROW(require_compatible(Output::eps, table), ConfigError);
  EXPECT_NO_THROW(require_compatible(Output::eps, short_of_it));
  EXPECT_NO_THROW(require_compatible(Output::eps, Schedule(LinearBetaSchedule{})));
  for (const Output output : {Output::x, Output::v, Output::x_and_eps}) {
    EXPECT_NO_THROW(require_compatible(output, to_noise));
  }
}

}  // namespace
}  // namespace halfstep
