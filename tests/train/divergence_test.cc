#include "halfstep/train/divergence.h"

#include <gtest/gtest.h>

#include "tests/model/small_models.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

class StageLossesSlow : public ::testing::Test {
 protected:
  StageLosses of(const Network& student, int64_t microbatch = 0) const {
    UpdatePlan four = plan;
    four.microbatch = microbatch;
    return stage_losses(teacher.network(), teacher.network(), student, four, *dataset,
                        {.seed = 5, .batch_size = 4, .first_update = 1000}, 3);
  }
  Model teacher = test::small_teacher();
  std::shared_ptr<data::RawDataset> dataset = test::small_dataset();
  UpdatePlan plan = plan_update(teacher.spec(), test::small_distillation().update, /*num_steps=*/4);
};

TEST_F(StageLossesSlow, OfTheTeacherItselfAreTheSame) {
  const StageLosses losses = of(*teacher.network().clone());
  EXPECT_GT(losses.begun, 0.0);
  EXPECT_EQ(losses.ended, losses.begun);
  EXPECT_FALSE(losses.diverged());
}

TEST_F(StageLossesSlow, OfAnotherNetworkAreWorse) {
  const auto other = test::random_unet(test::unet(teacher.spec()), 99);
  const StageLosses losses = of(*other);
  EXPECT_GT(losses.ended, losses.begun);
  EXPECT_EQ(losses.begun, of(teacher.network()).begun);
  EXPECT_NEAR(of(*other, 2).ended, losses.ended, 1e-5 * losses.ended);
}

TEST(StageLosses, DivergeWhereTheyAreWorseAndCanBeSeen) {
  const auto diverged = [](double begun, double ended) {
    return StageLosses{.begun = begun, .ended = ended}.diverged();
  };
  EXPECT_TRUE(diverged(0.005, 0.006));
  EXPECT_FALSE(diverged(0.005, 0.005));
  EXPECT_FALSE(diverged(0.08, 0.003));
  EXPECT_FALSE(diverged(1e-6, 5e-4));  // four of 256 levels at most
  EXPECT_TRUE(diverged(1e-6, 2e-3));
  EXPECT_TRUE(diverged(0.1, std::nan("")));
}

}  // namespace
}  // namespace halfstep
