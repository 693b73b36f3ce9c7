#include "halfstep/train/forecast.h"

#include <gtest/gtest.h>

#include <array>

#include "halfstep/core/error.h"
#include "halfstep/nn/network_cost.h"
#include "halfstep/parallel/process_group.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

Forecast forecast_of(const RunOptions& options, int64_t processes = 1) {
  return forecast(options, test::small_teacher().network(), *test::small_dataset(), at::kCPU,
                  processes);
}

TEST(Forecast, CountsTheWorkOfAllStages) {
  const RunOptions options = test::small_chain();
  const Forecast needs = forecast_of(options);
  ASSERT_EQ(needs.stages.size(), 3u);
  EXPECT_EQ(needs.updates, 4 + 6 + 24);
  EXPECT_EQ(needs.images, needs.updates * options.update.batch);
  EXPECT_EQ(needs.parameters, count_parameters(test::small_teacher().network()));
  // An update of a halving costs 5 forward calls, and one of moment matching 7.
  const double forwards = 10 * 5.0 + 24 * 7.0;
  RunOptions halvings = options;
  halvings.distill.match_updates.reset();
  EXPECT_NEAR(*needs.flops / *forecast_of(halvings).flops, forwards / (10 * 5.0), 1e-9);
}

TEST(Forecast, MatchingNeedsMoreMemoryAndDisk) {
  const RunOptions matched = test::small_chain();
  RunOptions halved = matched;
  halved.distill.match_updates.reset();
  EXPECT_GT(forecast_of(matched).memory, forecast_of(halved).memory);
  EXPECT_GT(forecast_of(matched).disk, forecast_of(halved).disk);
}

// In fp32, 3 x 3 kernels are kept with 16 numbers for 9; in bf16, weights have a copy of half their
// size. Teacher and student have them.
TEST(Forecast, CountsTheWeightsThatNetworksComputeWith) {
  RunOptions options = test::small_distillation();
  options.update.precision = PrecisionChoice::fp32;
  const Forecast fp32 = forecast_of(options);
  options.update.precision = PrecisionChoice::bf16;
  const Forecast bf16 = forecast_of(options);
  const double weights = 4.0 * static_cast<double>(fp32.parameters);
  const double activations =
      static_cast<double>(options.update.batch) * network_cost(options.model.network).activations;
  EXPECT_NEAR(fp32.memory - bf16.memory, 2.0 * (16.0 / 9.0 - 0.5) * weights + 2.0 * activations,
              1e-6 * fp32.memory);
}

TEST(Forecast, TimesEveryKindOfRun) {
  for (const RunOptions& options :
       {test::small_training(), test::small_distillation(), test::small_conversion(),
        test::small_guidance(), test::small_guidance_range(), test::small_refinement(),
        test::small_matching()}) {
    EXPECT_GT(forecast_of(options).seconds, 0.0);
  }
}

TEST(Forecast, ProcessesShareTheTime) {
  // Timings of tiny updates scatter, but not by as much as a thousand processes save.
  const RunOptions options = test::small_training();
  EXPECT_LT(forecast_of(options, /*processes=*/1000).seconds, forecast_of(options).seconds / 10.0);
}

TEST(SecondsOf, TakesSecondsMinutesAndHours) {
  EXPECT_EQ(seconds_of("90s", "budget"), 90.0);
  EXPECT_EQ(seconds_of("30m", "budget"), 1800.0);
  EXPECT_EQ(seconds_of("2h", "budget"), 7200.0);
  for (const char* wrong : {"500", "", "-3m", "1d"})
    test::expect_throws<ConfigError>({"budget", "30m", wrong},
                                     [&] { seconds_of(wrong, "budget"); });
}

TEST(FitToBudget, EveryProcessGetsTheSameFactor) {
  REQUIRE_GLOO();
  const RunOptions options = test::small_training();
  const Model teacher = test::small_teacher();
  std::array<BudgetFit, 2> fits;
  test::run_ranks(2, [&](parallel::ProcessGroup& group) {
    fits[static_cast<size_t>(group.rank())] =
        fit_to_budget(group, 60.0, options, teacher.network(), *test::small_dataset(), at::kCPU);
  });
  EXPECT_GT(fits[0].seconds, 0.0);
  EXPECT_EQ(fits[0].seconds, fits[1].seconds);
  EXPECT_DOUBLE_EQ(fits[0].factor * fits[0].seconds, 60.0);
  EXPECT_EQ(describe(BudgetFit{.seconds = 340.0, .factor = 0.176}),
            "budget: all updates would take about 5.7 minutes; multiplying them by 0.18");
}

}  // namespace
}  // namespace halfstep
