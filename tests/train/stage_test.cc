#include "halfstep/train/stage.h"

#include <gtest/gtest.h>

#include <string>

#include "halfstep/core/error.h"
#include "tests/support/expect_throws.h"
#include "tests/train/stage_lists.h"

namespace halfstep {
namespace {

using test::expect_throws;
using test::steps_of;
using test::updates_of;

TEST(DistillationStages, HalvesFromStartStepsToEndSteps) {
  const auto stages =
      distillation_stages({.start_steps = 32, .end_steps = 4, .updates_per_stage = 180});
  EXPECT_EQ(steps_of(stages), (std::vector<int64_t>{16, 8, 4}));
  EXPECT_EQ(updates_of(stages), (std::vector<int64_t>{180, 180, 180}));
}

TEST(DistillationStages, StudentsOfTwoStepsAndOneStepTakeTwiceTheUpdates) {
  const auto stages =
      distillation_stages({.start_steps = 8, .end_steps = 1, .updates_per_stage = 50});
  EXPECT_EQ(steps_of(stages), (std::vector<int64_t>{4, 2, 1}));
  EXPECT_EQ(updates_of(stages), (std::vector<int64_t>{50, 100, 100}));
}

TEST(DistillationStages, LastUpdatesOverridesTheDefault) {
  const auto stages = distillation_stages(
      {.start_steps = 8, .end_steps = 2, .updates_per_stage = 50, .last_updates = 7});
  EXPECT_EQ(updates_of(stages), (std::vector<int64_t>{50, 7}));
}

TEST(DistillationStages, ConversionComesFirst) {
  const auto stages = distillation_stages({.start_steps = 8,
                                           .end_steps = 4,
                                           .updates_per_stage = 50,
                                           .student_output = Output::v,
                                           .convert_updates = 20});
  ASSERT_EQ(stages.size(), 2u);
  EXPECT_EQ(stages[0].kind, StageKind::convert);
  EXPECT_EQ(stages[0].num_steps, 0);
  EXPECT_EQ(stages[0].updates, 20);
  EXPECT_EQ(stages[1].kind, StageKind::distill);
  EXPECT_EQ(
      distillation_stages({.updates_per_stage = 50, .student_output = Output::v}).front().updates,
      50);
  expect_throws<ConfigError>({"convert_updates"}, [] {
    distillation_stages({.student_output = Output::v, .convert_updates = 0});
  });
}

TEST(DistillationStages, EndStepsNeedNotBeAPowerOfTwo) {
  EXPECT_EQ(steps_of(distillation_stages({.start_steps = 12, .end_steps = 3})),
            (std::vector<int64_t>{6, 3}));
}

TEST(DistillationStages, RatiosOtherThanPowersOfTwoAreRejected) {
  for (const int64_t start : {0, -8}) {
    expect_throws<ConfigError>({"start_steps", "1 to 1000000", std::to_string(start)}, [&] {
      distillation_stages({.start_steps = start, .end_steps = 4});
    });
  }
  for (const int64_t start : {3, 4, 6, 24, 100}) {
    expect_throws<ConfigError>(
        {"start_steps", "final number of steps, 4", std::to_string(start)},
        [&] { distillation_stages({.start_steps = start, .end_steps = 4}); });
  }
}

TEST(DistillationStages, DirectTakesAnyMultiple) {
  const auto stages =
      distillation_stages({.method = DistillMethod::direct, .start_steps = 12, .end_steps = 4});
  ASSERT_EQ(steps_of(stages), (std::vector<int64_t>{4}));
  EXPECT_EQ(teacher_calls(stages[0].objective), 3);
  EXPECT_EQ(stages[0].name, "12 -> 4 steps");
  EXPECT_EQ(stages[0].folder, "stage-0004");
  for (const int64_t start : {3, 6}) {
    expect_throws<ConfigError>(
        {"start_steps", "final number of steps, 4", std::to_string(start)}, [&] {
          distillation_stages(
              {.method = DistillMethod::direct, .start_steps = start, .end_steps = 4});
        });
  }
}

TEST(DistillationStages, MatchingIsTheMethodOrFollowsTheOthers) {
  auto stages = distillation_stages({.method = DistillMethod::moment_matching, .end_steps = 3});
  ASSERT_EQ(stages.size(), 1u);
  EXPECT_EQ(stages[0].kind, StageKind::match);
  EXPECT_EQ(stages[0].updates, 2 * DistillOptions().updates_per_stage);
  EXPECT_EQ(stages[0].name, "moment matching, 3 steps");
  EXPECT_EQ(stages[0].folder, "matched-0003");
  EXPECT_EQ(stages[0].forwards(), 7.0);
  const Sampling sampling = stages[0].spec_of_model({}).sampling;
  EXPECT_EQ(sampling.sampler, Sampler::ancestral);
  EXPECT_EQ(sampling.variance, 0.0);
  EXPECT_EQ(sampling.num_steps, 3);
  stages = distillation_stages({.start_steps = 8, .end_steps = 2, .match_updates = 70});
  ASSERT_EQ(steps_of(stages), (std::vector<int64_t>{4, 2, 2}));
  EXPECT_EQ(stages[1].kind, StageKind::distill);
  EXPECT_EQ(stages[2].kind, StageKind::match);
  EXPECT_EQ(stages[2].updates, 70);
}

TEST(DistillationStages, AreDescribedInOneLine) {
  EXPECT_EQ(describe(distillation_stages({.start_steps = 8,
                                          .end_steps = 2,
                                          .updates_per_stage = 5,
                                          .last_updates = 6,
                                          .match_updates = 70})),
            "8 -> 4 steps: 5 updates; 4 -> 2 steps: 6 updates; moment matching, 2 steps: 70 "
            "updates");
}

TEST(DistillationStages, GuidanceFollowsTheConversionAndIsKeptByAllStagesAfterIt) {
  const DistillOptions options{.start_steps = 8,
                               .end_steps = 2,
                               .updates_per_stage = 50,
                               .student_output = Output::v,
                               .guidance = {.min = 1.0, .max = 5.0},
                               .guide_updates = 30,
                               .match_updates = 70};
  const std::vector<Stage> stages = distillation_stages(options);
  ASSERT_EQ(stages.size(), 5u);
  EXPECT_EQ(stages[0].kind, StageKind::convert);
  EXPECT_FALSE(stages[0].guidance.has_value());
  EXPECT_EQ(stages[1].kind, StageKind::guide);
  EXPECT_EQ(stages[1].name, "guidance 1-5");
  EXPECT_EQ(stages[1].folder, "guided");
  EXPECT_EQ(stages[1].num_steps, 0);
  EXPECT_EQ(stages[1].updates, 30);
  EXPECT_EQ(stages[1].forwards(), 5.0);
  for (size_t i = 1; i < stages.size(); ++i) EXPECT_EQ(stages[i].guidance, options.guidance);
  EXPECT_EQ(distillation_stages({.updates_per_stage = 50, .guidance = {.min = 2.0, .max = 2.0}})[0]
                .updates,
            50);
  expect_throws<ConfigError>({"guide_updates"}, [] {
    distillation_stages({.guidance = {.min = 2.0, .max = 2.0}, .guide_updates = 0});
  });
}

TEST(DistillationStages, ModelsRecordTheirGuidance) {
  ModelSpec teacher;
  const auto spec_for = [&](const GuidanceRange& guidance) {
    return distillation_stages({.start_steps = 8, .end_steps = 4, .guidance = guidance})
        .back()
        .spec_of_model(teacher);
  };
  EXPECT_FALSE(spec_for({}).sampling.guidance_min.has_value());
  EXPECT_EQ(spec_for({.min = 2.0, .max = 2.0}).sampling.fixed_guidance(), 2.0);
  EXPECT_EQ(guidance_channels(spec_for({.min = 2.0, .max = 2.0}).network), 0);
  const ModelSpec range = spec_for({.min = 1.0, .max = 5.0});
  EXPECT_EQ(range.sampling.guidance_min, 1.0);
  EXPECT_EQ(range.sampling.guidance_max, 5.0);
  EXPECT_EQ(guidance_channels(range.network), kGuidanceChannels);
  teacher = range;  // is distilled further: its students keep its range
  EXPECT_EQ(spec_for({}).sampling.guidance_max, 5.0);
  EXPECT_EQ(guidance_channels(spec_for({}).network), kGuidanceChannels);
}

TEST(DistillationStages, CountsBelowOneAreRejected) {
  expect_throws<ConfigError>({"end_steps"},
                             [] { distillation_stages({.start_steps = 8, .end_steps = 0}); });
  expect_throws<ConfigError>({"updates_per_stage"},
                             [] { distillation_stages({.updates_per_stage = 0}); });
  expect_throws<ConfigError>({"last_updates"}, [] { distillation_stages({.last_updates = 0}); });
  expect_throws<ConfigError>({"match_updates"}, [] { distillation_stages({.match_updates = 0}); });
  expect_throws<ConfigError>({"match_lr"},
                             [] { distillation_stages({.match_updates = 1, .match_lr = 0.0}); });
}

}  // namespace
}  // namespace halfstep
