#include "halfstep/train/divergence.h"

#include <gtest/gtest.h>

#include <cmath>

#include "halfstep/train/regression.h"
#include "tests/model/small_models.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

class StageLossesTest : public ::testing::Test {
 protected:
  StageLosses of(const Network& student, int64_t microbatch = 0) const {
    return stage_losses(*objective, teacher.network(), student, options.batch, microbatch, *dataset,
                        {.seed = 5, .batch_size = 4, .first_update = 1000}, 3);
  }
  Model teacher = test::small_teacher();
  std::shared_ptr<data::RawDataset> dataset = test::small_dataset();
  UpdateOptions update = test::small_distillation().update;
  ObjectiveOptions to_four_steps = FromTeacher{.num_steps = 4};
  RegressionOptions options =
      regression_options(teacher.spec(), update, to_four_steps, teacher.network());
  std::unique_ptr<const Objective> objective =
      make_objective(to_four_steps, student_output(teacher.spec(), update),
                     make_denoiser(teacher.network(), teacher.spec().output));
};

TEST_F(StageLossesTest, AreEqualForTheSameNetwork) {
  const StageLosses losses = of(*teacher.network().clone());
  EXPECT_GT(losses.initial, 0.0);
  EXPECT_EQ(losses.trained, losses.initial);
  EXPECT_FALSE(losses.diverged());
}

TEST_F(StageLossesTest, AreHigherForAnotherNetwork) {
  const auto other = test::random_unet(test::unet(teacher.spec()), 99);
  const StageLosses losses = of(*other);
  EXPECT_GT(losses.trained, losses.initial);
  EXPECT_EQ(losses.initial, of(teacher.network()).initial);
  EXPECT_NEAR(of(*other, 2).trained, losses.trained, 1e-5 * losses.trained);
}

TEST(StageLosses, DivergeIfTheyRiseToAVisibleError) {
  const auto diverged = [](double initial, double trained) {
    return StageLosses{.initial = initial, .trained = trained}.diverged();
  };
  EXPECT_TRUE(diverged(0.005, 0.006));
  EXPECT_FALSE(diverged(0.005, 0.005));
  EXPECT_FALSE(diverged(0.08, 0.003));
  EXPECT_FALSE(diverged(1e-6, 5e-4));  // at most four of 256 levels
  EXPECT_TRUE(diverged(1e-6, 2e-3));
  EXPECT_TRUE(diverged(0.1, std::nan("")));
}

}  // namespace
}  // namespace halfstep
