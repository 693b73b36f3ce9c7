#include "halfstep/train/learning_rate.h"

#include <gtest/gtest.h>

#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

constexpr double kRounding = 4.0 * test::kFloat64Rounding;

TEST(LearningRate, IsConstantByDefault) {
  for (const int64_t update : {0, 1, 1000}) EXPECT_EQ(learning_rate(0.3, update, 0, 0), 0.3);
}

TEST(LearningRate, WarmupIsLinear) {
  for (int64_t update = 0; update < 10; ++update) {
    EXPECT_NEAR(learning_rate(2.0, update, 10, 0), 0.2 * static_cast<double>(update + 1),
                kRounding);
  }
  EXPECT_EQ(learning_rate(2.0, 9, 10, 0), 2.0);
  EXPECT_EQ(learning_rate(2.0, 500, 10, 0), 2.0);
}

TEST(LearningRate, AnnealingIsLinearToZero) {
  for (int64_t update = 0; update <= 10; ++update) {
    EXPECT_NEAR(learning_rate(1.0, update, 0, 10), 0.1 * static_cast<double>(10 - update),
                kRounding);
  }
  EXPECT_EQ(learning_rate(1.0, 11, 0, 10), 0.0);
  EXPECT_GT(learning_rate(1.0, 9, 0, 10), 0.0);  // the last update of a stage has a positive rate
}

TEST(LearningRate, WarmupAndAnnealMultiply) {
  EXPECT_NEAR(learning_rate(1.0, 4, 10, 20), 0.5 * 0.8, kRounding);
}

// The golden file marks this table as unofficial, because the official code does not include the
// learning rate. Its warm-up is step / warmup, so that the first update has rate 0. halfstep's is
// (step + 1) / warmup, which is the same rate one update earlier. The annealing is the same.
TEST(LearningRateGolden, AgreesWithTheUnofficialTable) {
  const test::Golden golden("i_optim");
  const nlohmann::json& table = golden.settings().at("lr_schedule_UNOFFICIAL");
  const auto steps = table.at("step").get<std::vector<int64_t>>();
  const auto warmup = table.at("warmup_mult_min1_step_over_warmup200").get<std::vector<double>>();
  const auto anneal = table.at("anneal_mult_1_minus_step_over_1000").get<std::vector<double>>();
  ASSERT_FALSE(steps.empty());
  for (size_t i = 0; i < steps.size(); ++i) {
    EXPECT_NEAR(learning_rate(1.0, steps[i], 0, 1000), anneal[i], kRounding);
    if (steps[i] == 0) continue;
    EXPECT_NEAR(learning_rate(1.0, steps[i] - 1, 200, 0), warmup[i], kRounding);
  }
}

}  // namespace
}  // namespace halfstep
