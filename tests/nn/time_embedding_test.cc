#include "halfstep/nn/time_embedding.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "halfstep/diffusion/angle.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

const std::vector<double>& angles() {
  static const std::vector<double> kAngles = {0.0, 1e-3, 0.5, kHalfPi / 2.0, 1.2, kHalfPi};
  return kAngles;
}

// The definition of the official code (unet.py, get_timestep_embedding), step by step.
double official_input(TimeInput time_input, double phi) {
  const double tan = std::tan(phi);
  const double logsnr = std::clamp(tan > 0.0 ? -2.0 * std::log(tan) : 1e3, -20.0, 20.0);
  switch (time_input) {
    case TimeInput::inv_cos:
      return std::atan(std::exp(-0.5 * logsnr)) / kHalfPi;
    case TimeInput::linear:
      return (logsnr + 10.0) / 20.0;
    case TimeInput::sigmoid:
      break;
  }
  return 1.0 / (1.0 + std::exp(-logsnr));
}

Tensor closed_form(TimeInput time_input, int64_t ch) {
  const int64_t half = ch / 2;
  Tensor embedding = at::zeros({static_cast<int64_t>(angles().size()), ch}, at::kDouble);
  auto values = embedding.accessor<double, 2>();
  for (int64_t i = 0; i < embedding.size(0); ++i) {
    const double tau = 1000.0 * official_input(time_input, angles()[static_cast<size_t>(i)]);
    for (int64_t k = 0; k < half; ++k) {
      const double frequency =
          std::exp(-static_cast<double>(k) * std::log(10000.0) / static_cast<double>(half - 1));
      values[i][k] = std::sin(tau * frequency);
      values[i][half + k] = std::cos(tau * frequency);
    }
  }
  return embedding;
}

class TimeEmbedding : public ::testing::TestWithParam<TimeInput> {};

TEST_P(TimeEmbedding, IsSinesThenCosinesOfTheInput) {
  const Tensor embedding = time_embedding(test::float64_vector(angles()), GetParam(), 32);
  EXPECT_EQ(embedding.scalar_type(), at::kFloat);
  EXPECT_TENSOR_CLOSE(embedding, closed_form(GetParam(), 32));
}

TEST_P(TimeEmbedding, OddWidthEndsWithAColumnOfZeros) {
  const Tensor embedding = time_embedding(test::float64_vector(angles()), GetParam(), 33);
  EXPECT_TENSOR_CLOSE(embedding, closed_form(GetParam(), 33));
}

INSTANTIATE_TEST_SUITE_P(Inputs, TimeEmbedding,
                         ::testing::Values(TimeInput::inv_cos, TimeInput::linear,
                                           TimeInput::sigmoid),
                         [](const auto& info) { return std::string(name_of(info.param)); });

TEST(TimeEmbedding, EndsAreThoseOfTheClampedLogsnr) {
  const Tensor ends = test::float64_vector({0.0, kHalfPi});
  const Tensor clamped = phi_of_logsnr(test::float64_vector({20.0, -20.0}));
  for (const TimeInput input : {TimeInput::inv_cos, TimeInput::linear, TimeInput::sigmoid}) {
    EXPECT_TENSOR_CLOSE(time_embedding(ends, input, 32), time_embedding(clamped, input, 32));
  }
}

// get_guidance_scale_embedding of diffusers 0.39 at w - 1, with embedding_dim 8. It rounds
// log(10000) to float32, which is worth 5e-5 here.
TEST(GuidanceEmbedding, IsThatOfDiffusers) {
  const Tensor expected =
      test::float64_vector(
          {0.00000000,  0.00000000,  0.00000000,  0.00000000,  1.00000000,  1.00000000, 1.00000000,
           1.00000000,  0.82687954,  0.65031556,  0.83446312,  0.09983343,  0.56237908, -0.75966418,
           -0.55106379, 0.99500416,  -0.99390196, 0.48712671,  -0.08993793, 0.14943815, -0.11026740,
           0.87333130,  -0.99594737, 0.98877108,  -0.68350379, -0.30467160, 0.72224210, 0.38941838,
           -0.72994696, -0.95245746, -0.69164034, 0.92106098})
          .view({4, 8});
  const Tensor embedding = guidance_embedding(test::float64_vector({1.0, 2.0, 2.5, 5.0}), 8);
  EXPECT_EQ(embedding.scalar_type(), at::kFloat);
  EXPECT_TENSOR_NEAR(embedding, expected, 1e-4);
}

TEST(Sinusoid, CosinesFirstAndAnotherShiftAreTheSameNumbersElsewhere) {
  const Tensor position = test::float64_vector({0.0, 3.0, 999.0});
  const Tensor sines_first = sinusoid(position, {.ch = 8, .freq_shift = 0});
  const Tensor cosines_first = sinusoid(position, {.ch = 8, .freq_shift = 0, .cos_first = true});
  EXPECT_TRUE(at::equal(cosines_first, sines_first.roll(4, 1)));
  // f_2 is 10000^(-2/4); with shift 1 and ch 10 it is 10000^(-2/(5 - 1)).
  EXPECT_NEAR(sines_first[1][2].item<double>(), std::sin(3.0 / 100.0), 1e-7);
  EXPECT_NEAR(sinusoid(position, {.ch = 10})[1][2].item<double>(), std::sin(3.0 / 100.0), 1e-7);
}

TEST(Sinusoid, InFloat32IsNearThatInFloat64) {
  const Tensor position = at::arange(1000, at::TensorOptions().dtype(at::kDouble));
  // Arguments are up to 1000, which float32 rounds by 3e-5, and it rounds the frequencies too.
  EXPECT_TENSOR_NEAR(sinusoid(position, {.ch = 32, .float32 = true}),
                     sinusoid(position, {.ch = 32}), 2e-4);
}

TEST(TimestepOf, CountsTheNodesOfTheScheduleFromZero) {
  const Schedule schedule(LinearBetaSchedule{});
  const Tensor k = test::float64_vector({0.0, 1.0, 250.5, 998.0, 999.0});
  EXPECT_TENSOR_NEAR(timestep_of(schedule.phi((k + 1.0) / 1000.0), schedule.nodes(), 1000), k,
                     1e-9);
  const Tensor below = test::float64_vector({0.0, schedule.phi(0.0005)});
  EXPECT_TRUE(at::equal(timestep_of(below, schedule.nodes(), 1000), at::zeros({2}, at::kDouble)));
}

}  // namespace
}  // namespace halfstep
