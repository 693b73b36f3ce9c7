#include "halfstep/train/moment_matching.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

#include "halfstep/model/model.h"
#include "tests/nn/small_networks.h"
#include "tests/support/tolerance.h"
#include "tests/train/counting_images.h"

namespace halfstep {
namespace {

using test::images;
using test::kClasses;

MomentMatchingOptions matching(int64_t auxiliary_updates, int64_t microbatch = 0) {
  const OptimizerOptions optimizer{.beta1 = 0.0, .beta2 = 0.99, .grad_clip = 0.0};
  MomentMatchingOptions result{
      .batch = {.shape = {1, 8, 8}, .conditional = true, .label_dropout = 0.3, .seed = 11},
      .microbatch = microbatch,
      .num_steps = 2,
      .peak_lr = 1e-3,
      .student = optimizer,
      .auxiliary = optimizer,
      .auxiliary_updates = auxiliary_updates};
  result.student.ema_decay = 0.5;
  return result;
}

// The three networks, which begin with different weights, and the method that trains two of them.
struct Networks {
  explicit Networks(const MomentMatchingOptions& options, const UNetPlan& plan = tiny())
      : teacher(test::random_unet(plan, 1)),
        student(test::random_unet(plan, 2)),
        auxiliary(test::random_unet(plan, 3)),
        method(make_denoiser(*teacher, Output::v), *student, *auxiliary, options) {}

  static UNetPlan tiny() {
    UNetOptions options = test::tiny_unet();
    options.num_classes = kClasses;
    return plan_of(options);
  }
  static std::unique_ptr<Network> network(uint64_t seed) { return test::random_unet(tiny(), seed); }
  const OptimizerState& state(size_t network) {
    return method.trained()[network].optimizer->state();
  }

  std::unique_ptr<Network> teacher;
  std::unique_ptr<Network> student;
  std::unique_ptr<Network> auxiliary;
  MomentMatching method;
};

TEST(MomentMatchingUpdate, ChangesBothNetworksAndNotTheTeacher) {
  Networks networks(matching(0));
  const UpdateReport report = networks.method.update(images(4), 1e-3);
  EXPECT_FALSE(report.skipped);
  EXPECT_GT(report.loss, 0.0);
  EXPECT_GT(report.grad_norm, 0.0);
  EXPECT_TRUE(test::same_parameters(*networks.teacher, *Networks::network(1)));
  EXPECT_FALSE(test::same_parameters(*networks.student, *Networks::network(2)));
  EXPECT_FALSE(test::same_parameters(*networks.auxiliary, *Networks::network(3)));
}

TEST(MomentMatchingUpdate, FirstUpdatesTrainTheAuxiliaryAlone) {
  Networks networks(matching(2));
  for (uint64_t u = 0; u < 2; ++u) networks.method.update(images(4, 8, u), 1e-3);
  EXPECT_TRUE(test::same_parameters(*networks.student, *Networks::network(2)));
  EXPECT_FALSE(test::same_parameters(*networks.auxiliary, *Networks::network(3)));
  EXPECT_EQ(networks.state(0).updates, 2);
  EXPECT_EQ(networks.state(0).adam_updates, 0);
  EXPECT_EQ(networks.state(1).adam_updates, 2);
  networks.method.update(images(4, 8, 2), 1e-3);
  EXPECT_FALSE(test::same_parameters(*networks.student, *Networks::network(2)));
  EXPECT_EQ(networks.state(0).adam_updates, 1);
}

TEST(MomentMatchingUpdate, StudentRestsWhereTheAuxiliaryEqualsTheTeacher) {
  Networks networks(matching(0));
  copy_parameters(*networks.teacher, *networks.auxiliary);
  EXPECT_EQ(networks.method.update(images(4), 1e-3).grad_norm, 0.0);
  EXPECT_TRUE(test::same_parameters(*networks.student, *Networks::network(2)));
}

TEST(MomentMatchingUpdate, MicrobatchesAddUpToTheBatch) {
  Networks whole(matching(0));
  const UpdateReport report = whole.method.update(images(6), 0.0);
  for (const int64_t microbatch : {2, 4}) {  // 4 leaves a part of 2
    SCOPED_TRACE(microbatch);
    Networks parts(matching(0, microbatch));
    EXPECT_NEAR(parts.method.update(images(6), 0.0).loss, report.loss,
                test::kFloat32Tolerance * report.loss);
    for (const size_t network : {0, 1}) {  // the first moment is the gradient, since beta1 is 0
      const Tensor gradient = whole.state(network).first_moment;
      const double norm = gradient.norm().item<double>();
      EXPECT_GT(norm, 0.0);
      EXPECT_TENSOR_NEAR(parts.state(network).first_moment, gradient,
                         test::kFloat32Tolerance * norm);
    }
  }
}

TEST(MomentMatchingUpdate, ActivationCheckpointingChangesNoBit) {
  UNet2dOptions unet2d = test::small_unet2d();
  unet2d.in_channels = unet2d.out_channels = 1;
  unet2d.num_classes = kClasses;
  for (const UNetPlan& plan : {Networks::tiny(), plan_of(unet2d, ScheduleOptions())}) {
    Networks plain(matching(0), plan);
    Networks checkpointed(matching(0), plan);
    checkpointed.student->set_activation_checkpointing(true);
    checkpointed.auxiliary->set_activation_checkpointing(true);
    for (uint64_t u = 0; u < 2; ++u) {
      EXPECT_EQ(checkpointed.method.update(images(4, 8, u), 1e-3).grad_norm,
                plain.method.update(images(4, 8, u), 1e-3).grad_norm);
    }
    EXPECT_TRUE(test::same_parameters(*checkpointed.student, *plain.student));
    EXPECT_TRUE(test::same_parameters(*checkpointed.auxiliary, *plain.auxiliary));
  }
}

// Adam's first step is the learning rate times the sign of the gradient, in all but tiny elements.
TEST(MomentMatchingUpdate, AuxiliaryLearnsThreeTimesAsFast) {
  const auto largest_change = [](const Network& now, uint64_t seed) {
    double largest = 0.0;
    const std::unique_ptr<Network> before = Networks::network(seed);
    for (size_t i = 0; i < now.parameters().size(); ++i) {
      largest = std::max(
          largest,
          (now.parameters()[i].tensor - before->parameters()[i].tensor).abs().max().item<double>());
    }
    return largest;
  };
  Networks networks(matching(0));
  networks.method.update(images(4), 1e-3);
  EXPECT_NEAR(largest_change(*networks.student, 2), 1e-3, 1e-6);
  EXPECT_NEAR(largest_change(*networks.auxiliary, 3), 3e-3, 3e-6);
}

TEST(MomentMatchingUpdate, AuxiliaryKeepsAFifthOfThePeakRate) {
  Networks low(matching(0));
  Networks fifth(matching(0));
  low.method.update(images(4), 1e-5);
  fifth.method.update(images(4), 2e-4);
  EXPECT_TRUE(test::same_parameters(*low.auxiliary, *fifth.auxiliary));
  EXPECT_FALSE(test::same_parameters(*low.student, *fifth.student));
}

// Makes the network predict v = -level everywhere, so that x~ = level at t = 1.
void predict_level(Network& network, double level) {
  const ParameterEditor editor(network);
  for (const NamedTensor& parameter : editor.parameters())
    parameter.tensor.fill_(parameter.tensor.numel() == 1 ? -level : 0.0);  // the last bias
}

// Returns the z_s of an update whose samples are all `level`.
Tensor noisy_samples(double level, bool clip_x) {
  MomentMatchingOptions options = matching(0);
  options.num_steps = 1;
  options.clip_x = clip_x;
  Networks networks(options);
  predict_level(*networks.student, level);
  Tensor z_s;
  MomentMatching method(
      [&](const Tensor& z, const Tensor&, const Condition&) {
        z_s = z;
        return Prediction{.x = z, .eps = z};
      },
      *networks.student, *networks.auxiliary, options);
  method.update(images(4), 1e-3);
  return z_s;
}

TEST(MomentMatchingUpdate, SamplesAreClippedAsTheSamplerClipsThem) {
  EXPECT_TRUE(at::equal(noisy_samples(9.0, true), noisy_samples(7.0, true)));
  EXPECT_TRUE(at::equal(noisy_samples(0.5, true), noisy_samples(0.5, false)));
  EXPECT_FALSE(at::equal(noisy_samples(9.0, false), noisy_samples(7.0, false)));
}

TEST(MomentMatchingUpdate, NonFiniteUpdateChangesNothing) {
  Networks networks(matching(0));
  bool finite = false;
  MomentMatching method(
      [&](const Tensor& z, const Tensor&, const Condition&) {
        return Prediction{.x = finite ? z : z / 0.0, .eps = z};
      },
      *networks.student, *networks.auxiliary, matching(0));
  EXPECT_TRUE(method.update(images(4), 1e-3).skipped);
  EXPECT_TRUE(test::same_parameters(*networks.student, *Networks::network(2)));
  EXPECT_TRUE(test::same_parameters(*networks.auxiliary, *Networks::network(3)));
  for (const TrainedNetwork& trained : method.trained()) {
    EXPECT_EQ(trained.optimizer->state().updates, 1);
    EXPECT_EQ(trained.optimizer->state().adam_updates, 0);
  }
  finite = true;
  EXPECT_FALSE(method.update(images(4), 1e-3).skipped);
}

}  // namespace
}  // namespace halfstep
