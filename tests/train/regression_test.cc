#include "halfstep/train/regression.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <memory>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/objective/data_objective.h"
#include "tests/nn/small_networks.h"
#include "tests/support/gaussian.h"
#include "tests/support/tolerance.h"
#include "tests/train/counting_images.h"

namespace halfstep {
namespace {

using test::images;
using test::kClasses;

// Returns the objective of a student of num_steps, or that of training from data if it is 0.
std::unique_ptr<const Objective> objective(int64_t num_steps = 0, Denoiser teacher = {}) {
  if (num_steps == 0) return make_objective(FromData{}, {});
  return make_objective(FromTeacher{.num_steps = num_steps}, {}, std::move(teacher));
}

BatchPlan plan() { return {.shape = {1, 8, 8}, .seed = 11}; }

Batch diffuse_images(const data::ExampleBatch& images, int64_t first, int64_t count,
                     const BatchPlan& plan, int64_t num_steps = 0) {
  return diffuse_examples(images, first, count, draws_of(*objective(num_steps)), plan, at::kCPU);
}

// Returns the key of the dropout masks of the same examples.
std::optional<DropoutKey> dropout_key(const data::ExampleBatch& images, int64_t first,
                                      int64_t count, const BatchPlan& plan) {
  return draw_batch(images, first, count, draws_of(*objective()), plan, at::kCPU).dropout;
}

bool same(const Batch& a, const Batch& b) {
  return at::equal(a.x, b.x) && at::equal(a.eps, b.eps) && at::equal(a.z, b.z) &&
         at::equal(a.angles.phi_t, b.angles.phi_t);
}

TEST(DiffusedBatch, IsTheDefinition) {
  const Batch batch = diffuse_images(images(4), 0, 4, plan());
  const Tensor levels = at::arange(4 * 64, at::kFloat).view({4, 1, 8, 8});
  EXPECT_TENSOR_CLOSE(batch.x, levels / 127.5 - 1.0);
  EXPECT_TENSOR_CLOSE(batch.z, diffuse(batch.x, batch.eps, batch.angles.phi_t));
  EXPECT_FALSE(batch.condition.labels.defined());
  EXPECT_FALSE(dropout_key(images(4), 0, 4, plan()).has_value());
}

TEST(DiffusedBatch, OtherDataIsNotScaled) {
  const Tensor x = at::arange(6, at::kFloat).view({3, 2}) - 2.5;
  data::ExampleBatch batch{.update = 7, .count = 3, .labels = {0, 0, 0}, .dtype = io::DType::f32};
  batch.bytes.resize(x.nbytes());
  std::memcpy(batch.bytes.data(), x.const_data_ptr(), x.nbytes());
  BatchPlan points = plan();
  points.shape = {2};
  const Batch whole = diffuse_images(batch, 0, 3, points);
  EXPECT_TRUE(at::equal(whole.x, x));
  EXPECT_TENSOR_CLOSE(whole.z, diffuse(whole.x, whole.eps, whole.angles.phi_t));
  EXPECT_TRUE(at::equal(diffuse_images(batch, 1, 2, points).z, whole.z.narrow(0, 1, 2)));
}

TEST(DiffusedBatch, NoiseIsStandardNormal) {
  const Tensor eps = diffuse_images(images(256), 0, 256, plan()).eps.to(at::kDouble);
  const double root_n = std::sqrt(static_cast<double>(eps.numel()));
  EXPECT_NEAR(eps.mean().item<double>(), 0.0, test::kSigmas / root_n);
  EXPECT_NEAR(eps.square().mean().item<double>(), 1.0, test::kSigmas * std::sqrt(2.0) / root_n);
}

TEST(DiffusedBatch, DrawsAreAFunctionOfSeedUpdateAndExample) {
  for (const int64_t num_steps : {0, 4}) {
    const Batch batch = diffuse_images(images(8), 0, 8, plan(), num_steps);
    EXPECT_TRUE(same(batch, diffuse_images(images(8), 0, 8, plan(), num_steps)));
    BatchPlan other_seed = plan();
    other_seed.seed = 12;
    const Batch other = diffuse_images(images(8), 0, 8, other_seed, num_steps);
    EXPECT_FALSE(at::equal(batch.eps, other.eps));
    EXPECT_FALSE(at::equal(batch.angles.phi_t, other.angles.phi_t));
    const Batch later = diffuse_images(images(8, 8, 8), 0, 8, plan(), num_steps);
    EXPECT_FALSE(at::equal(batch.eps, later.eps));
    EXPECT_FALSE(at::equal(batch.angles.phi_t, later.angles.phi_t));
    EXPECT_FALSE(at::equal(batch.eps[0], batch.eps[1]));
  }
}

TEST(DiffusedBatch, MicrobatchesMakeUpTheBatch) {
  BatchPlan conditional = plan();
  conditional.conditional = true;
  conditional.label_dropout = 0.5;
  conditional.dropout_sites = {1};
  const Batch whole = diffuse_images(images(8), 0, 8, conditional, 4);
  const Batch part = diffuse_images(images(8), 5, 3, conditional, 4);
  EXPECT_TRUE(at::equal(part.z, whole.z.narrow(0, 5, 3)));
  EXPECT_TRUE(at::equal(part.angles.phi_t, whole.angles.phi_t.narrow(0, 5, 3)));
  EXPECT_TRUE(at::equal(part.angles.phi_m[0], whole.angles.phi_m[0].narrow(0, 5, 3)));
  EXPECT_TRUE(at::equal(part.angles.phi_s, whole.angles.phi_s.narrow(0, 5, 3)));
  EXPECT_TRUE(at::equal(part.condition.labels, whole.condition.labels.narrow(0, 5, 3)));
  const std::optional<DropoutKey> key = dropout_key(images(8), 5, 3, conditional);
  EXPECT_EQ(key.value().first_example, 5u);
  EXPECT_EQ(key.value().update, 7u);
}

TEST(DiffusedBatch, ShardsMakeUpTheBatch) {
  BatchPlan conditional = plan();
  conditional.conditional = true;
  conditional.label_dropout = 0.5;
  conditional.dropout_sites = {1};
  const data::ExampleBatch all = images(8);
  data::ExampleBatch share = all;  // images 5 to 7: the shard of one process
  share.first = 5;
  share.count = 3;
  share.bytes.erase(share.bytes.begin(), share.bytes.begin() + 5 * 64);
  share.labels.erase(share.labels.begin(), share.labels.begin() + 5);
  const Batch whole = diffuse_images(all, 6, 2, conditional, 4);
  const Batch part = diffuse_images(share, 1, 2, conditional, 4);
  EXPECT_TRUE(same(part, whole));
  EXPECT_TRUE(at::equal(part.angles.phi_s, whole.angles.phi_s));
  EXPECT_TRUE(at::equal(part.condition.labels, whole.condition.labels));
  EXPECT_EQ(dropout_key(share, 1, 2, conditional).value().first_example, 6u);
}

TEST(DiffusedBatch, TimeIsContinuousInTraining) {
  BatchPlan one_pixel = plan();
  one_pixel.shape = {1, 1, 1};
  const Batch batch = diffuse_images(images(2000, 1), 0, 2000, one_pixel);
  const Tensor t = Schedule().t(batch.angles.phi_t);
  EXPECT_GT(t.min().item<double>(), 0.0);
  EXPECT_LE(t.max().item<double>(), 1.0);
  const double deviation =
      1.0 / std::sqrt(12.0 * 2000.0);  // standard deviation of the mean of uniform times
  EXPECT_NEAR(t.mean().item<double>(), 0.5, test::kSigmas * deviation);
  EXPECT_FALSE(batch.angles.phi_s.defined());
}

TEST(DiffusedBatch, TimesOfDistillationAreTheStepsOfTheStudent) {
  BatchPlan one_pixel = plan();
  one_pixel.shape = {1, 1, 1};
  const Batch batch = diffuse_images(images(2000, 1), 0, 2000, one_pixel, 4);
  const std::vector<double> grid = sampling_grid(Schedule(), 8);
  for (size_t i = 0; i < 4; ++i) {
    const Tensor here = batch.angles.phi_t.eq(grid[2 * i + 2]);
    const double share = here.sum().item<double>() / 2000.0;
    EXPECT_NEAR(share, 0.25, test::kSigmas * std::sqrt(0.25 * 0.75 / 2000.0));
    EXPECT_TRUE(batch.angles.phi_m[0].masked_select(here).eq(grid[2 * i + 1]).all().item<bool>());
    EXPECT_TRUE(batch.angles.phi_s.masked_select(here).eq(grid[2 * i]).all().item<bool>());
  }
}

TEST(DiffusedBatch, LabelsAreKeptOrDroppedAtTheGivenRate) {
  BatchPlan conditional = plan();
  conditional.shape = {1, 1, 1};
  conditional.conditional = true;
  const data::ExampleBatch batch = images(4000, 1);
  const Tensor all = at::tensor(batch.labels).to(at::kLong);
  const auto labels = [&] { return diffuse_images(batch, 0, 4000, conditional).condition.labels; };
  EXPECT_TRUE(at::equal(labels(), all));
  conditional.label_dropout = 0.1;
  const Tensor dropped = labels().eq(kNullLabel);
  const double share = dropped.sum().item<double>() / 4000.0;
  EXPECT_NEAR(share, 0.1, test::kSigmas * std::sqrt(0.1 * 0.9 / 4000.0));
  EXPECT_TRUE(at::equal(labels().masked_select(~dropped), all.masked_select(~dropped)));
}

// The gradient and the report of an update.
struct Gradient {
  Tensor all;
  UpdateReport report;
};

UNetOptions network_options() {
  UNetOptions options = test::tiny_unet();
  options.num_classes = kClasses;
  options.dropout = 0.2;
  return options;
}

Gradient gradient_with(int64_t microbatch) {
  const auto network = test::random_unet(network_options());
  BatchPlan conditional = plan();
  conditional.conditional = true;
  conditional.label_dropout = 0.3;
  conditional.dropout_sites = {1};
  Regression method(
      *network, objective(),
      {.batch = conditional, .microbatch = microbatch, .optimizer = {.grad_clip = 0.0}});
  Gradient gradient;
  gradient.report = method.update(images(6), 0.0);
  // An update sets the gradient to zero, but the first moment is 0.1 times the first gradient.
  gradient.all = method.optimizer().state().first_moment / 0.1;
  return gradient;
}

TEST(Regression, MicrobatchesAddUpToTheBatch) {
  const Gradient whole = gradient_with(0);
  for (const int64_t microbatch : {2, 3, 4}) {  // 4 leaves a part of 2
    SCOPED_TRACE(microbatch);
    const Gradient parts = gradient_with(microbatch);
    EXPECT_NEAR(parts.report.loss, whole.report.loss, test::kFloat32Tolerance * whole.report.loss);
    // Relative to the norm of the whole gradient: some of its parts cancel to nearly zero.
    EXPECT_GT(whole.report.grad_norm, 0.0);
    EXPECT_TENSOR_NEAR(parts.all, whole.all, test::kFloat32Tolerance * whole.report.grad_norm);
  }
}

TEST(Regression, IsTheSameBitsTwice) {
  const Gradient first = gradient_with(3);
  const Gradient again = gradient_with(3);
  EXPECT_EQ(first.report.loss, again.report.loss);
  EXPECT_GT(first.all.norm().item<double>(), 0.0);
  EXPECT_TRUE(at::equal(first.all, again.all));
}

// Returns last loss / first loss when training on one batch.
double fraction_left_after(std::unique_ptr<const Objective> objective, int64_t updates) {
  const auto network = test::random_unet(test::tiny_unet());
  Regression method(*network, std::move(objective), {.batch = plan()});
  double first = 0.0;
  double last = 0.0;
  for (int64_t u = 0; u < updates; ++u) {
    const UpdateReport report = method.update(images(4), 2e-3);
    EXPECT_FALSE(report.skipped);
    (u == 0 ? first : last) = report.loss;
  }
  return last / first;
}

TEST(Regression, LossFallsTowardsTheData) { EXPECT_LT(fraction_left_after(objective(), 15), 0.5); }

TEST(Regression, LossFallsTowardsATeacher) {
  const test::GaussianData gaussian{.mean = 0.2, .deviation = 0.5};
  EXPECT_LT(fraction_left_after(objective(4, gaussian.denoiser()), 15), 0.5);
}

// An objective with the angles of training and the given target.
class WithTarget final : public Objective {
 public:
  explicit WithTarget(std::function<Prediction(const Batch&)> target)
      : Objective({}), target_(std::move(target)) {}
  StepAngles draw_angles(const std::vector<RandomKey>& keys) const override {
    return DataObjective(StudentOutput{}).draw_angles(keys);
  }
  Prediction target(const Batch& batch) const override { return target_(batch); }

 private:
  std::function<Prediction(const Batch&)> target_;
};

TEST(Regression, StudentAtTheTargetHasNoLoss) {
  const auto network = test::random_unet(test::tiny_unet());
  const auto copy = network->clone();
  auto own = std::make_unique<WithTarget>([&](const Batch& batch) {
    const at::NoGradGuard no_grad;
    const Tensor& phi = batch.angles.phi_t;
    return predict(Output::v, copy->forward(batch.z, phi, {}), batch.z, phi);
  });
  const UpdateReport report =
      Regression(*network, std::move(own), {.batch = plan()}).update(images(4), 1e-3);
  EXPECT_LT(report.loss, test::kFloat32Tolerance);
  EXPECT_LT(report.grad_norm, test::kFloat32Tolerance * 1e2);
}

TEST(Regression, NonFiniteTargetsAreSkipped) {
  const auto network = test::random_unet(test::tiny_unet());
  const auto copy = network->clone();
  bool finite = false;
  auto target = std::make_unique<WithTarget>([&](const Batch& batch) {
    return Prediction{.x = finite ? batch.x : batch.x / 0.0, .eps = batch.eps};
  });
  Regression method(*network, std::move(target),
                    {.batch = plan(), .optimizer = {.weight_decay = 0.1, .ema_decay = 0.5}});
  const UpdateReport report = method.update(images(4), 1e-3);
  EXPECT_TRUE(report.skipped);
  EXPECT_FALSE(std::isfinite(report.loss));
  EXPECT_TRUE(test::same_parameters(*network, *copy));
  finite = true;
  EXPECT_FALSE(method.update(images(4), 1e-3).skipped);
}

}  // namespace
}  // namespace halfstep
