// Guided teachers: the draws of the weight, what is refused, and runs.
#include "halfstep/diffusion/guidance.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <cmath>
#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/model/generate.h"
#include "halfstep/objective/guided_objective.h"
#include "halfstep/train/config.h"
#include "halfstep/train/stage_start.h"
#include "tests/model/small_models.h"
#include "tests/nn/small_networks.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"
#include "tests/train/counting_images.h"
#include "tests/train/run_fixture.h"

namespace halfstep {
namespace {

using test::images;
using test::RunTest;

BatchPlan plan_with_guidance() {
  return {.shape = {1, 8, 8},
          .conditional = true,
          .label_dropout = 0.3,
          .guidance = GuidanceRange{.min = 1.0, .max = 5.0},
          .seed = 11};
}

Tensor weights(const data::ExampleBatch& examples, int64_t first, int64_t count,
               const BatchPlan& plan) {
  const auto objective = make_objective(FromGuidedTeacher{}, {});
  return diffuse_examples(examples, first, count, draws_of(*objective), plan, at::kCPU)
      .condition.guidance;
}

TEST(GuidanceDraws, AreUniformInTheRange) {
  const Tensor w = weights(images(4000, 1), 0, 4000, [] {
    BatchPlan plan = plan_with_guidance();
    plan.shape = {1, 1, 1};
    return plan;
  }());
  EXPECT_GE(w.min().item<double>(), 1.0);
  EXPECT_LT(w.max().item<double>(), 5.0);
  const double deviation = 4.0 / std::sqrt(12.0);
  EXPECT_NEAR(w.mean().item<double>(), 3.0, test::kSigmas * deviation / std::sqrt(4000.0));
  EXPECT_NEAR(w.std().item<double>(), deviation, 0.1);
}

TEST(GuidanceDraws, AreAFunctionOfSeedUpdateAndExample) {
  const BatchPlan plan = plan_with_guidance();
  const Tensor w = weights(images(8), 0, 8, plan);
  EXPECT_TRUE(at::equal(weights(images(8), 5, 3, plan), w.narrow(0, 5, 3)));
  EXPECT_FALSE(at::equal(weights(images(8, 8, 8), 0, 8, plan), w));
  BatchPlan other = plan;
  other.seed = 12;
  EXPECT_FALSE(at::equal(weights(images(8), 0, 8, other), w));
  other.guidance.reset();
  EXPECT_FALSE(weights(images(8), 0, 8, other).defined());
}

UNetOptions classes() {
  UNetOptions options = test::tiny_unet();
  options.num_classes = test::kClasses;
  return options;
}

// Returns the gradient of one update of a student that takes the weight.
Tensor gradient_with(int64_t microbatch) {
  const auto teacher = test::random_unet(classes());
  UNetOptions with_input = classes();
  with_input.guidance_ch = 16;
  const auto student = test::random_unet(with_input, 2);
  Regression method(
      *student,
      make_objective(FromGuidedTeacher{}, {},
                     make_denoiser(guided_by_condition(raw_output(*teacher)), Output::v)),
      {.batch = plan_with_guidance(), .microbatch = microbatch, .optimizer = {.grad_clip = 0.0}});
  method.update(images(6), 0.0);
  return method.optimizer().state().first_moment / 0.1;
}

TEST(GuidedUpdate, MicrobatchesAddUpToTheBatch) {
  const Tensor whole = gradient_with(0);
  const double norm = whole.norm().item<double>();
  EXPECT_GT(norm, 0.0);
  for (const int64_t microbatch : {1, 4})
    EXPECT_TENSOR_NEAR(gradient_with(microbatch), whole, test::kFloat32Tolerance * norm);
}

TEST(GuidedStart, StudentThatTakesTheWeightEqualsItsTeacherForEveryWeight) {
  const at::NoGradGuard no_grad;
  const Model teacher = test::small_teacher();
  const Stage guide = test::small_guidance_range().stages().front();
  const auto student =
      student_of_teacher(teacher.network(), guide, guide.spec_of_model(teacher.spec()));
  const Tensor z = test::random_z(test::unet(teacher.spec()), 3);
  const Tensor phi = test::spread_angles(3);
  Condition condition{.labels = at::tensor(std::vector<int64_t>{0, 1, kNullLabel})};
  const Tensor raw = teacher.network().forward(z, phi, condition);
  condition.guidance = at::tensor({1.0f, 2.5f, 5.0f});
  EXPECT_TRUE(at::equal(student->forward(z, phi, condition), raw));
}

RunOptions plan_with(const GuidanceRange& guidance, const ModelSpec& teacher) {
  const Config config;
  DistillOptions distill = config.distill;
  distill.guidance = guidance;
  return plan_distillation(distill, config.distill_update, teacher, "", *test::small_dataset());
}

TEST(PlanOfGuidance, KeepsTheTeacherAndDropsLabels) {
  const RunOptions options = plan_with({.min = 2.0, .max = 2.0}, test::small_teacher().spec());
  EXPECT_EQ(options.update.label_dropout, 0.1);
  EXPECT_FALSE(options.model.sampling.fixed_guidance().has_value());
  EXPECT_EQ(options.stages().front().kind, StageKind::guide);
}

TEST(PlanOfGuidance, RefusesTeachersThatCannotBeGuided) {
  const ModelSpec good = test::small_teacher().spec();
  const GuidanceRange two{.min = 2.0, .max = 2.0};
  const auto refused = [&](const ModelSpec& teacher, const GuidanceRange& guidance,
                           std::initializer_list<std::string_view> words) {
    test::expect_throws<ConfigError>(words, [&] { plan_with(guidance, teacher); });
    EXPECT_NO_THROW(validate(teacher));
  };
  ModelSpec teacher = good;
  teacher.has_null_class = false;
  refused(teacher, two, {"guidance", "expected 1 (off)", "label dropout", "received 2"});
  teacher = good;
  test::unet(teacher).num_classes = 0;
  teacher.has_null_class = false;
  refused(teacher, two, {"guidance", "no classes"});
  teacher = good;
  teacher.sampling.guidance_min = teacher.sampling.guidance_max = 3.0;
  refused(teacher, two, {"guidance", "not applied twice"});
  teacher = good;
  teacher.sampling = {.guidance_min = 1.0, .guidance_max = 5.0};
  set_guidance_channels(teacher.network, 16);
  refused(teacher, two, {"guidance", "not applied twice"});
  teacher = good;
  teacher.sampling.guidance_max = 1.5;
  refused(teacher, two, {"guidance", "made for", "received 2"});
  teacher = good;
  teacher.sampling.num_steps = 1024;
  refused(teacher, {.min = 1.0, .max = 5.0}, {"guidance", "1024 steps", "received 1-5"});
  teacher = good;
  teacher.network =
      TorchScriptOptions{{.shape = {1, 8, 8}, .out_channels = 1, .images = true, .num_classes = 2}};
  refused(teacher, {.min = 1.0, .max = 5.0}, {"guidance", "one weight", "a network that is code"});
  EXPECT_NO_THROW(plan_with(two, teacher));
}

TEST_F(RunTest, GuidedStageAndThoseAfterItRecordTheWeight) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_guidance());
  test::run(directory, recorder);
  EXPECT_EQ(recorder.finished_steps, (std::vector<int64_t>{0, 4, 2}));
  for (const char* stage : {"guided", "stage-0004", "stage-0002"}) {
    const ModelSpec spec = Model::load(directory.path() / stage).spec();
    EXPECT_EQ(spec.sampling.fixed_guidance(), 3.0) << stage;
    EXPECT_TRUE(spec.has_null_class);
  }
}

// Returns the loss of small_teacher() as the student in an update of the run.
double loss_of_the_teacher(const RunOptions& options, const ObjectiveOptions& objective,
                           const RawOutput& teacher, uint64_t update) {
  const auto student = test::small_teacher().network().clone();
  Regression method(*student,
                    make_objective(objective, student_output(options.model, options.update),
                                   make_denoiser(teacher, Output::v)),
                    regression_options(options.model, options.update, objective, *student));
  const data::ExampleBatch batch = load_batch(*test::small_dataset(),
                                              {.seed = options.update.seed,
                                               .batch_size = options.update.batch,
                                               .random_flip = options.update.random_flip},
                                              update);
  return method.update(batch, options.update.lr).loss;
}

// With a learning rate of nearly 0, all students are the teacher.
TEST_F(RunTest, OnlyTheGuidedStageGuidesItsTeacher) {
  RunOptions options = test::small_guidance();
  options.update.lr = 1e-30;
  test::run(test::start_run(folder.path(), options), recorder);
  const Model teacher = test::small_teacher();
  const RawOutput raw = raw_output(teacher.network());
  const double loss = loss_of_the_teacher(options, FromGuidedTeacher{}, guided(raw, 3.0), 0);
  EXPECT_GT(loss, 0.01);
  EXPECT_EQ(recorder.records[0].loss, loss);
  EXPECT_EQ(recorder.records[3].loss,
            loss_of_the_teacher(options, FromTeacher{.num_steps = 4}, raw, 3));
}

TEST_F(RunTest, MatchingCallsTheGuidedTeacher) {
  RunOptions options = test::small_guidance_range();
  options.distill.match_updates = 22;
  const RunDirectory directory = test::start_run(folder.path(), options);
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  const Model matched = Model::load(directory.path() / "matched-0002");
  EXPECT_EQ(matched.spec().sampling.guidance_max, 5.0);
  EXPECT_EQ(matched.spec().sampling.sampler, Sampler::ancestral);
  EXPECT_NO_THROW(generate(matched, {1, 2}, {.guidance = 4.0}));
}

TEST_F(RunTest, GuidanceByTwoProcessesEqualsThatByOne) {
  REQUIRE_GLOO();
  test::expect_two_processes_equal_one(folder.path(), test::small_guidance_range(), "stage-0002");
}

}  // namespace
}  // namespace halfstep
