#include "halfstep/diffusion/sample.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/schedule.h"
#include "tests/support/gaussian.h"
#include "tests/support/random_tensors.h"
#include "tests/support/schedules.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

const test::GaussianData kData{.mean = 0.3, .deviation = 0.5};

Tensor noise() { return test::random_normal({4, 1, 3, 3}, 1); }

NoiseAt noise_of_step() {
  return [](int64_t step) {
    return test::random_normal({4, 1, 3, 3}, 100 + static_cast<uint64_t>(step));
  };
}

SampleOptions unclipped(Sampler sampler) { return {.sampler = sampler, .clip_x = false}; }

// Each step multiplies by the cosine of its angle; unclipped, there are N equal angles of pi / (2
// N).
TEST(DdimSampler, OfStandardNormalDataIsAPowerOfACosine) {
  const Denoiser best = test::GaussianData{}.denoiser();
  for (const auto& [name, schedule] : test::all_schedules()) {
    for (int64_t num_steps = 1; num_steps <= 512; num_steps *= 2) {
      SCOPED_TRACE(name + ", N = " + std::to_string(num_steps));
      const std::vector<double> grid = sampling_grid(schedule, num_steps);
      double factor = 1.0;
      for (size_t k = 1; k < grid.size(); ++k) factor *= std::cos(grid[k] - grid[k - 1]);
      if (name == "cosine unclipped") {
        const auto n = static_cast<double>(num_steps);
        EXPECT_NEAR(factor, std::pow(std::cos(kHalfPi / n), n), test::kFloat64Tolerance);
      }
      EXPECT_TENSOR_CLOSE(sample(best, noise(), grid, {}, unclipped(Sampler::ddim)),
                          factor * noise());
    }
  }
}

TEST(DdimSampler, InOneStepIsTheXOfTheDenoiserAtNoise) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    const Tensor phi = at::full({4}, schedule.phi(1.0), at::kDouble);
    EXPECT_TENSOR_NEAR(
        sample(kData.denoiser(), noise(), sampling_grid(schedule, 1), {}, unclipped(Sampler::ddim)),
        kData.best(noise(), phi).x, 0.0);
  }
}

// Returns the largest distance of the samples from the exact flow.
double sampling_error(const Schedule& schedule, Sampler sampler, int64_t num_steps) {
  const Tensor start = at::full({4}, schedule.phi(1.0), at::kDouble);
  const Tensor exact = kData.flow(noise(), start, at::zeros_like(start));
  const Tensor x =
      sample(kData.denoiser(), noise(), sampling_grid(schedule, num_steps), {}, unclipped(sampler));
  return (x - exact).abs().max().item<double>();
}

// Expects the ratio of the errors at N and at 2 N steps to be 2^order, up to terms of higher order.
void expect_order(Sampler sampler, double order, double room, int64_t first_steps) {
  for (const bool clipped : {true, false}) {
    SCOPED_TRACE(clipped ? "clipped" : "unclipped");
    const Schedule schedule(clipped ? CosineSchedule{} : CosineSchedule{.clip = std::nullopt});
    for (const int64_t num_steps : {first_steps, 2 * first_steps}) {
      const double ratio = sampling_error(schedule, sampler, num_steps) /
                           sampling_error(schedule, sampler, 2 * num_steps);
      EXPECT_NEAR(std::log2(ratio), order, room) << num_steps << " steps";
    }
  }
}

TEST(DdimSampler, ConvergesAtFirstOrder) { expect_order(Sampler::ddim, 1.0, 0.1, 64); }
TEST(HeunSampler, ConvergesAtSecondOrder) { expect_order(Sampler::heun, 2.0, 0.1, 64); }
// The solver extrapolates in lambda = -log tan(phi), in which a grid that is uniform in phi is
// uneven at both ends: neighbouring steps differ by the factor 1 / k, which leaves an error of h^2
// / k at the k-th step and of h^2 log(N) in total. See
// DpmPlusPlus2M.IsSecondOrderOnAGridEvenInLambda.
TEST(DpmPlusPlus2MSampler, ConvergesAtSecondOrderUpToALogarithm) {
  expect_order(Sampler::dpmpp_2m, 2.0, 0.45, 128);
}

// With the true posterior of standard normal data, every z is standard normal. It is a sum of the
// initial z and of the noises, which are independent; the squared factors in the sample add up to
// the variance after the last step, cos^2(phi_1).
TEST(AncestralSampler, OfStandardNormalDataKeepsTheVariance) {
  const Denoiser best = test::GaussianData{}.denoiser();
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    const int64_t num_steps = 6;
    const std::vector<double> grid = sampling_grid(schedule, num_steps);
    const SampleOptions options{.sampler = Sampler::ancestral, .variance = 1.0, .clip_x = false};
    const Tensor one = at::ones({1, 1}, at::kDouble);
    // The sampler is linear, so the sources can be switched on one at a time.
    double variance = 0.0;
    for (int64_t source = 1; source <= num_steps + 1; ++source) {
      const NoiseAt only = [&](int64_t step) { return step == source ? one : at::zeros_like(one); };
      const Tensor z = source == num_steps + 1 ? one : at::zeros_like(one);
      const Tensor x = sample(best, z, grid, {}, options, only);
      variance += x.square().item<double>();
    }
    EXPECT_NEAR(variance, std::pow(std::cos(grid[1]), 2), test::kFloat64Tolerance);
  }
}

struct Calls {
  std::vector<double> angles;

  Denoiser watch(const Denoiser& denoiser) {
    return [this, denoiser](const Tensor& z, const Tensor& phi, const Condition& condition) {
      angles.push_back(phi[0].item<double>());
      return denoiser(z, phi, condition);
    };
  }
};

TEST(Sample, CallsTheNetworkOncePerStepDownTheGrid) {
  const std::vector<double> grid = sampling_grid(Schedule(), 5);
  const std::vector<double> down = {grid[5], grid[4], grid[3], grid[2], grid[1]};
  for (const Sampler sampler : {Sampler::ddim, Sampler::ancestral, Sampler::dpmpp_2m}) {
    Calls calls;
    sample(calls.watch(kData.denoiser()), noise(), grid, {}, unclipped(sampler), noise_of_step());
    EXPECT_EQ(calls.angles, down);
    EXPECT_EQ(network_calls(sampler, 5), 5);
  }
}

TEST(HeunSampler, CallsTheNetworkTwicePerStepAndOnceAtTheLast) {
  for (const int64_t num_steps : {1, 2, 5}) {
    Calls calls;
    sample(calls.watch(kData.denoiser()), noise(), sampling_grid(Schedule(), num_steps), {},
           unclipped(Sampler::heun));
    EXPECT_EQ(calls.angles.size(), static_cast<size_t>(2 * num_steps - 1));
    EXPECT_EQ(network_calls(Sampler::heun, num_steps), 2 * num_steps - 1);
  }
}

TEST(AncestralSampler, DrawsNoiseForEveryStepButTheLast) {
  std::vector<int64_t> steps;
  const NoiseAt watch = [&](int64_t step) {
    steps.push_back(step);
    return at::zeros_like(noise());
  };
  sample(kData.denoiser(), noise(), sampling_grid(Schedule(), 4), {}, unclipped(Sampler::ancestral),
         watch);
  EXPECT_EQ(steps, (std::vector<int64_t>{4, 3, 2}));
}

TEST(AncestralSampler, NeedsASourceOfNoise) {
  EXPECT_THROW(sample(kData.denoiser(), noise(), sampling_grid(Schedule(), 4), {},
                      unclipped(Sampler::ancestral)),
               ConfigError);
}

TEST(Sample, OneStepIsTheSameWithEverySampler) {
  const std::vector<double> grid = sampling_grid(Schedule(), 1);
  const Tensor ddim = sample(kData.denoiser(), noise(), grid, {}, unclipped(Sampler::ddim));
  for (const Sampler sampler : {Sampler::ancestral, Sampler::heun, Sampler::dpmpp_2m}) {
    EXPECT_TENSOR_NEAR(
        sample(kData.denoiser(), noise(), grid, {}, unclipped(sampler), noise_of_step()), ddim,
        0.0);
  }
}

// The data are far wider than [-1, 1].
TEST(Sample, ClipsXHatAtEveryStepOnlyWhenAsked) {
  const Denoiser wide = test::GaussianData{.mean = 0.0, .deviation = 9.0}.denoiser();
  for (const Sampler sampler :
       {Sampler::ddim, Sampler::ancestral, Sampler::heun, Sampler::dpmpp_2m}) {
    const std::vector<double> grid = sampling_grid(Schedule(), 8);
    const SampleOptions clipped{.sampler = sampler, .clip_x = true};
    const Tensor inside = sample(wide, noise(), grid, {}, clipped, noise_of_step());
    const Tensor outside = sample(wide, noise(), grid, {}, unclipped(sampler), noise_of_step());
    EXPECT_LE(inside.abs().max().item<double>(), 1.0);
    EXPECT_GT(outside.abs().max().item<double>(), 1.0);
  }
}

TEST(Sample, HandsTheConditionToTheNetworkAndLeavesTheNoiseAlone) {
  const Tensor z = noise();
  const Condition condition{.labels = at::arange(4), .guidance = at::full({4}, 1.5)};
  const Denoiser watch = [&](const Tensor& at_z, const Tensor& phi, const Condition& received) {
    EXPECT_TRUE(received.labels.equal(condition.labels));
    EXPECT_TRUE(received.guidance.equal(condition.guidance));
    return kData.best(at_z, phi);
  };
  for (const Sampler sampler : {Sampler::ddim, Sampler::heun, Sampler::dpmpp_2m}) {
    sample(watch, z, sampling_grid(Schedule(), 3), condition, {.sampler = sampler});
    EXPECT_TENSOR_NEAR(z, noise(), 0.0);
  }
}

TEST(Sample, RejectsAGridThatDoesNotStartAtDataOrHasNoStep) {
  const Denoiser best = kData.denoiser();
  EXPECT_THROW(sample(best, noise(), {0.0}, {}, {}), ConfigError);
  EXPECT_THROW(sample(best, noise(), {}, {}, {}), ConfigError);
  EXPECT_THROW(sample(best, noise(), {0.1, 1.5}, {}, {}), ConfigError);
}

TEST(Uint8, AllLevelsComeBack) {
  const Tensor levels = at::arange(256).to(at::kByte);
  EXPECT_TRUE(to_uint8(from_uint8(levels)).equal(levels));
  EXPECT_EQ(from_uint8(levels)[0].item<float>(), -1.0f);
  EXPECT_EQ(from_uint8(levels)[255].item<float>(), 1.0f);
}

TEST(Uint8, IsTheNearestLevel) {
  const Tensor levels = at::arange(256).to(at::kByte);
  for (const double part : {-0.49, -0.25, 0.0, 0.25, 0.49}) {
    const Tensor x = (levels.to(at::kDouble) + part) / 127.5 - 1.0;
    EXPECT_TRUE(to_uint8(x.to(at::kFloat)).equal(levels)) << part;
  }
}

TEST(Uint8, OutsideTheRangeIsTheEnd) {
  const Tensor x = test::float64_vector({-1e9, -1.5, 1.5, 1e9}).to(at::kFloat);
  const Tensor ends = test::float64_vector({0, 0, 255, 255}).to(at::kByte);
  EXPECT_TRUE(to_uint8(x).equal(ends));
}

}  // namespace
}  // namespace halfstep
