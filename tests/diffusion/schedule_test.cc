#include "halfstep/diffusion/schedule.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "tests/support/random_tensors.h"
#include "tests/support/schedules.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::kFloat64Rounding;

TEST(Schedule, PhiIncreasesFromDataToNoise) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    double before = schedule.phi(0.0);
    EXPECT_GE(before, 0.0);
    for (int k = 1; k <= 4096; ++k) {
      const double phi = schedule.phi(k / 4096.0);
      EXPECT_GT(phi, before) << "t = " << k << " / 4096";
      before = phi;
    }
    EXPECT_LE(before, kHalfPi);
  }
}

TEST(Schedule, TimeIsTheInverseOfPhi) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    const Tensor t = at::arange(1001, at::kDouble) / 1000.0;
    // The angle has one rounding error, and t has it divided by the slope, which is at least 0.05.
    EXPECT_TENSOR_NEAR(schedule.t(schedule.phi(t)), t, 64 * kFloat64Rounding);
  }
}

TEST(Schedule, TimeAndPhiStayInTheirRange) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    EXPECT_EQ(schedule.phi(-0.5), schedule.phi(0.0));
    EXPECT_EQ(schedule.phi(1.5), schedule.phi(1.0));
    const Tensor ends = test::float64_vector({-1.0, 0.0, kHalfPi});
    EXPECT_TRUE(at::equal(schedule.t(ends), test::float64_vector({0.0, 0.0, 1.0})));
  }
}

TEST(Schedule, TensorOfTimesIsTheSameFunction) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    const Tensor t = test::float64_vector({0.0, 0.125, 0.3, 0.999, 1.0});
    const Tensor phi = schedule.phi(t.to(at::kFloat));
    ASSERT_EQ(phi.scalar_type(), at::kDouble);
    for (int64_t i = 0; i < t.size(0); ++i) {
      EXPECT_EQ(phi[i].item<double>(), schedule.phi(t.to(at::kFloat)[i].item<double>()));
    }
  }
}

TEST(CosineSchedule, IsAStraightLineBetweenTheAnglesOfItsLogsnrs) {
  const LogsnrRange range{.min = -7.0, .max = 5.0};
  const Schedule schedule(CosineSchedule{.clip = range});
  const double first = std::atan(std::exp(-range.max / 2));
  const double last = std::atan(std::exp(-range.min / 2));
  for (const double t : {0.0, 0.25, 0.7, 1.0}) {
    EXPECT_NEAR(schedule.phi(t), first + t * (last - first), 4 * kFloat64Rounding);
  }
}

TEST(CosineSchedule, UnclippedRunsFromDataToPureNoise) {
  const Schedule schedule(CosineSchedule{.clip = std::nullopt});
  EXPECT_EQ(schedule.phi(0.0), 0.0);
  EXPECT_EQ(schedule.phi(1.0), kHalfPi);
  EXPECT_NEAR(schedule.phi(0.25), kHalfPi / 4, kFloat64Rounding);
}

// alpha^2 after k + 1 steps of DDPM is the product of the 1 - beta.
TEST(LinearBetaSchedule, NodesAreTheProductsOfOneMinusBeta) {
  const LinearBetaSchedule options{.timesteps = 50, .beta_first = 1e-3, .beta_last = 0.3};
  const Schedule schedule(options);
  double alpha_squared = 1.0;
  for (int k = 0; k < 50; ++k) {
    alpha_squared *= 1.0 - (1e-3 + (0.3 - 1e-3) * k / 49.0);
    const double phi = schedule.phi((k + 1) / 50.0);
    EXPECT_NEAR(std::cos(phi) * std::cos(phi), alpha_squared, 64 * kFloat64Rounding);
  }
  EXPECT_EQ(schedule.phi(0.0), 0.0);
}

TEST(LinearBetaSchedule, PhiIsLinearBetweenTimesteps) {
  const Schedule schedule(LinearBetaSchedule{});
  for (const double k : {0.0, 1.0, 500.0, 999.0}) {
    const double middle = 0.5 * (schedule.phi(k / 1000) + schedule.phi((k + 1) / 1000));
    EXPECT_NEAR(schedule.phi((k + 0.5) / 1000), middle, 1024 * kFloat64Rounding);
  }
}

TEST(TableSchedule, GoesThroughItsAngles) {
  const std::vector<double> phi = {0.01, 0.4, 0.5, 1.5};
  const Schedule schedule(TableSchedule{.phi = phi});
  for (size_t k = 0; k < phi.size(); ++k) {
    EXPECT_EQ(schedule.phi((static_cast<double>(k) + 1) / 4), phi[k]);
  }
  EXPECT_NEAR(schedule.phi(0.125), 0.005, kFloat64Rounding);
}

TEST(Schedule, RejectsAnglesThatDoNotIncreaseInZeroToHalfPi) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<ScheduleOptions> bad = {
      CosineSchedule{.clip = LogsnrRange{.min = 3.0, .max = -3.0}},
      CosineSchedule{.clip = LogsnrRange{.min = 1.0, .max = 1.0}},
      CosineSchedule{.clip = LogsnrRange{.min = nan, .max = 20.0}},
      CosineSchedule{.clip = LogsnrRange{.min = 2000.0, .max = 3000.0}},  // both angles are 0
      LinearBetaSchedule{.timesteps = 0, .beta_first = 1e-4, .beta_last = 0.02},
      LinearBetaSchedule{.timesteps = 1000, .beta_first = 0.0, .beta_last = 0.02},
      LinearBetaSchedule{.timesteps = 1000, .beta_first = 0.02, .beta_last = 1e-4},
      LinearBetaSchedule{.timesteps = 1000, .beta_first = 1e-4, .beta_last = 1.0},
      LinearBetaSchedule{.timesteps = 1000, .beta_first = nan, .beta_last = 0.02},
      LinearBetaSchedule{
          .timesteps = 100000, .beta_first = 1e-4, .beta_last = 0.02},  // ends at pi/2
      LinearBetaSchedule{.timesteps = 100'000'000'000, .beta_first = 1e-9, .beta_last = 1e-9},
      TableSchedule{.phi = {}},
      TableSchedule{.phi = {0.0, 1.0}},
      TableSchedule{.phi = {0.5, 0.4}},
      TableSchedule{.phi = {0.5, 0.5}},
      TableSchedule{.phi = {0.5, nan}},
      TableSchedule{.phi = {0.5, 1.6}}};
  for (size_t i = 0; i < bad.size(); ++i) {
    EXPECT_THROW(Schedule{bad[i]}, ConfigError) << "options " << i;
  }
}

TEST(SamplingGrid, EndsInDataWhateverTheClip) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    for (const int64_t num_steps : {1, 2, 3, 8, 1000}) {
      SCOPED_TRACE(name + ", N = " + std::to_string(num_steps));
      const std::vector<double> grid = sampling_grid(schedule, num_steps);
      ASSERT_EQ(grid.size(), static_cast<size_t>(num_steps) + 1);
      EXPECT_EQ(grid.front(), 0.0);
      EXPECT_EQ(grid.back(), schedule.phi(1.0));
      for (size_t k = 1; k < grid.size(); ++k) EXPECT_GT(grid[k], grid[k - 1]);
    }
  }
}

TEST(SamplingGrid, LogsnrSpacingIsEvenInLogSnrBetweenTheSameEnds) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    SCOPED_TRACE(name);
    for (const int64_t num_steps : {1, 2, 7, 64}) {
      const std::vector<double> grid = sampling_grid(schedule, num_steps, Spacing::logsnr);
      ASSERT_EQ(grid.size(), static_cast<size_t>(num_steps) + 1);
      EXPECT_EQ(grid.front(), 0.0);
      EXPECT_EQ(grid.back(), schedule.phi(1.0));
      for (size_t k = 1; k < grid.size(); ++k) EXPECT_GT(grid[k], grid[k - 1]);
      const double step =
          (logsnr_of_phi(schedule.phi(0.001)) - logsnr_of_phi(schedule.phi(0.999))) /
          static_cast<double>(num_steps);
      for (size_t k = 2; k + 1 < grid.size(); ++k)
        EXPECT_NEAR(logsnr_of_phi(grid[k - 1]) - logsnr_of_phi(grid[k]), step, 1e-9);
    }
  }
}

TEST(SamplingGrid, RejectsNumbersOfStepsOutOfRange) {
  EXPECT_THROW(sampling_grid(Schedule(), 0), ConfigError);
  EXPECT_THROW(sampling_grid(Schedule(), kMostSteps + 1), ConfigError);
  EXPECT_EQ(sampling_grid(Schedule(), kMostSteps).size(), kMostSteps + 1);
}

TEST(StepAngles, AreTheGridsOfStudentAndTeacher) {
  for (const auto& [name, schedule] : test::all_schedules()) {
    for (const int64_t num_steps : {1, 4, 1024}) {
      SCOPED_TRACE(name + ", N = " + std::to_string(num_steps));
      const std::vector<double> student = sampling_grid(schedule, num_steps);
      const Tensor step = at::arange(num_steps);
      for (const int64_t substeps : {2, 4, 8}) {
        const std::vector<double> teacher = sampling_grid(schedule, substeps * num_steps);
        const auto [phi_t, phi_m, phi_s] = step_angles(schedule, step, num_steps, substeps);
        ASSERT_EQ(static_cast<int64_t>(phi_m.size()), substeps - 1);
        for (int64_t i = 0; i < num_steps; ++i) {
          const auto k = static_cast<size_t>(i);
          EXPECT_EQ(phi_t[i].item<double>(), student[k + 1]);
          EXPECT_EQ(phi_s[i].item<double>(), student[k]);
          const double* here = &teacher[static_cast<size_t>(substeps) * k];
          EXPECT_EQ(phi_t[i].item<double>(), here[substeps]);
          for (int64_t m = 1; m < substeps; ++m)
            EXPECT_EQ(phi_m[static_cast<size_t>(m - 1)][i].item<double>(), here[substeps - m]);
          EXPECT_EQ(phi_s[i].item<double>(), here[0]);
        }
      }
    }
  }
}

}  // namespace
}  // namespace halfstep
