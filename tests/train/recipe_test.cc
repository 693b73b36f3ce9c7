#include "halfstep/train/recipe.h"

#include <gtest/gtest.h>

#include "halfstep/train/stage.h"

namespace halfstep {
namespace {

ModelSpec teacher_of(int64_t num_steps) { return {.sampling = {.num_steps = num_steps}}; }

TEST(ChooseMethod, MatchesMomentsAfterTheHalvingsWhereStepsAreFew) {
  for (const int64_t end_steps : {1, 2, 4, 8}) {
    const DistillOptions options{
        .start_steps = 64, .end_steps = end_steps, .updates_per_stage = 30};
    const DistillOptions chosen = choose_method(options, teacher_of(0), /*has_init=*/false);
    EXPECT_EQ(chosen.method, DistillMethod::halving);
    EXPECT_EQ(chosen.match_updates, 60);
    EXPECT_EQ(distillation_stages(chosen).back().kind, StageKind::match);
  }
  const DistillOptions options{.start_steps = 64, .end_steps = 16};
  const DistillOptions chosen = choose_method(options, teacher_of(0), /*has_init=*/false);
  EXPECT_EQ(chosen.method, DistillMethod::halving);
  EXPECT_EQ(chosen.match_updates, std::nullopt);
}

TEST(ChooseMethod, DoesNotMatchTheMomentsOfAGuidedTeacher) {
  DistillOptions options{.start_steps = 64, .end_steps = 4};
  ModelSpec guided = teacher_of(0);
  guided.sampling.guidance_min = guided.sampling.guidance_max = 2.0;
  EXPECT_EQ(choose_method(options, guided, /*has_init=*/false).match_updates, std::nullopt);
  EXPECT_EQ(choose_method(options, guided, /*has_init=*/true).method, DistillMethod::direct);
  options.guidance = {.min = 1.0, .max = 5.0};
  EXPECT_EQ(choose_method(options, teacher_of(0), /*has_init=*/false).method,
            DistillMethod::halving);
  EXPECT_EQ(choose_method(options, teacher_of(0), /*has_init=*/false).match_updates, std::nullopt);
}

TEST(ChooseMethod, KeepsWhatWasChosen) {
  const DistillOptions direct{
      .method = DistillMethod::direct, .start_steps = 64, .end_steps = 4, .match_updates = 7};
  const DistillOptions kept = choose_method(direct, teacher_of(0), /*has_init=*/false);
  EXPECT_EQ(kept.method, DistillMethod::direct);
  EXPECT_EQ(kept.match_updates, 7);
  const DistillOptions updates{.start_steps = 64, .end_steps = 4, .match_updates = 7};
  EXPECT_EQ(choose_method(updates, teacher_of(0), /*has_init=*/false).match_updates, 7);
}

TEST(ChooseMethod, HalvesDistilledTeachersOnly) {
  const DistillOptions options{.start_steps = 8, .end_steps = 4};
  const DistillOptions chosen = choose_method(options, teacher_of(8), /*has_init=*/false);
  EXPECT_EQ(chosen.method, DistillMethod::halving);
  EXPECT_EQ(chosen.match_updates, std::nullopt);
}

TEST(ChooseMethod, DoesNotHalveWhereAStudentExists) {
  DistillOptions options{.start_steps = 64, .end_steps = 4};
  EXPECT_EQ(choose_method(options, teacher_of(0), /*has_init=*/true).method,
            DistillMethod::moment_matching);
  options.end_steps = 32;
  EXPECT_EQ(choose_method(options, teacher_of(0), /*has_init=*/true).method, DistillMethod::direct);
}

}  // namespace
}  // namespace halfstep
