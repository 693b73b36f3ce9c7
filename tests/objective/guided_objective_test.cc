#include "halfstep/objective/guided_objective.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/model/model.h"
#include "halfstep/objective/objective_options.h"
#include "tests/nn/small_networks.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

UNetOptions two_classes() {
  UNetOptions options = test::tiny_unet();
  options.num_classes = 2;
  return options;
}

class GuidedTarget : public ::testing::Test {
 protected:
  GuidedTarget() {
    batch.z = test::random_z(two_classes(), 3);
    batch.angles.phi_t = test::spread_angles(3);
    batch.condition.labels = at::tensor(std::vector<int64_t>{0, 1, kNullLabel});
  }
  Prediction own() const {
    const at::NoGradGuard no_grad;
    return make_denoiser(*teacher, Output::v)(batch.z, batch.angles.phi_t, batch.condition);
  }
  Prediction target(RawOutput guided_teacher) const {
    return make_objective(FromGuidedTeacher{}, {},
                          make_denoiser(std::move(guided_teacher), Output::v))
        ->target(batch);
  }

  std::unique_ptr<UNet> teacher = test::random_unet(two_classes());
  Batch batch;
};

TEST_F(GuidedTarget, OfWeightOneIsTheTeachersOwn) {
  const Prediction off = target(guided(raw_output(*teacher), 1.0));
  EXPECT_TRUE(at::equal(off.x, own().x));
  EXPECT_TRUE(at::equal(off.eps, own().eps));
  batch.condition.guidance = at::ones({3});
  const RawOutput by_condition = guided_by_condition(raw_output(*teacher));
  const Prediction ones = target(by_condition);
  batch.condition.guidance = Tensor();
  EXPECT_TENSOR_CLOSE(ones.x, own().x);
  EXPECT_TENSOR_CLOSE(ones.eps, own().eps);
}

TEST_F(GuidedTarget, MovesAwayFromTheNullLabelAndIsItForTheNullLabel) {
  const at::NoGradGuard no_grad;
  const Denoiser plain = make_denoiser(*teacher, Output::v);
  const Prediction null = plain(batch.z, batch.angles.phi_t, {});
  const Prediction guided_target = target(guided(raw_output(*teacher), 3.0));
  EXPECT_TENSOR_NEAR(guided_target.x, null.x + 3.0 * (own().x - null.x),
                     test::kFloat32Tolerance * 10.0);
  EXPECT_TENSOR_CLOSE(guided_target.x[2], null.x[2]);
  EXPECT_GT((guided_target.x[0] - own().x[0]).abs().max().item<double>(), 0.01);
}

TEST_F(GuidedTarget, IsConsistentWithZAndHasNoGradient) {
  const Prediction pair = target(guided(raw_output(*teacher), 2.0));
  EXPECT_TENSOR_CLOSE(diffuse(pair.x, pair.eps, batch.angles.phi_t), batch.z);
  EXPECT_FALSE(pair.x.requires_grad());
}

TEST(GuidedObjective, TimesAreThoseOfTrainingAndATargetCostsTwoCalls) {
  std::vector<RandomKey> keys;
  for (uint32_t e = 0; e < 5; ++e)
    keys.push_back({.seed = 3, .purpose = Purpose::time, .index = 2, .example = e});
  const auto objective = make_objective(FromGuidedTeacher{}, {});
  const StepAngles angles = objective->draw_angles(keys);
  EXPECT_TRUE(at::equal(angles.phi_t, make_objective(FromData{}, {})->draw_angles(keys).phi_t));
  EXPECT_TRUE(angles.phi_m.empty());
  EXPECT_FALSE(angles.phi_s.defined());
  EXPECT_EQ(teacher_calls(FromGuidedTeacher{}), 2);
}

}  // namespace
}  // namespace halfstep
