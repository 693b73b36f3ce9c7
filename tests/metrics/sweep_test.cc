#include "halfstep/metrics/sweep.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "tests/model/small_models.h"

namespace halfstep::metrics {
namespace {

TEST(Sweep, CombinesEveryValueButVariancesOnlyWithTheAncestralSampler) {
  const ModelSpec teacher = test::small_model().spec();
  const std::vector<GenerateOptions> all =
      combinations({.steps = {2, 4},
                    .samplers = {Sampler::ddim, Sampler::ancestral},
                    .variances = {0.0, 1.0},
                    .spacings = {Spacing::time, Spacing::logsnr}},
                   {.batch = 7}, teacher);
  ASSERT_EQ(all.size(), 3U * 2U * 2U);
  EXPECT_EQ(all[0].sampler, Sampler::ddim);
  EXPECT_EQ(all[0].num_steps, 2);
  EXPECT_EQ(all[1].num_steps, 4);
  EXPECT_EQ(all[2].spacing, Spacing::logsnr);
  EXPECT_EQ(all[4].sampler, Sampler::ancestral);
  EXPECT_EQ(all[4].variance, 0.0);
  EXPECT_EQ(all[8].variance, 1.0);
  for (const GenerateOptions& options : all) EXPECT_EQ(options.batch, 7);
}

TEST(Sweep, ADistilledModelKeepsItsStepsUnlessForced) {
  ModelSpec student = test::small_model().spec();
  student.sampling.num_steps = 4;
  const Sweep sweep{.steps = {1, 2}};
  const std::vector<GenerateOptions> own = combinations(sweep, {}, student);
  ASSERT_EQ(own.size(), 1U);
  EXPECT_FALSE(own[0].num_steps.has_value());
  EXPECT_EQ(combinations(sweep, {.force_steps = true}, student).size(), 2U);
}

TEST(Sweep, RefusesCombinationsThatDoNotFitTheModel) {
  EXPECT_THROW(combinations({}, {}, test::small_model().spec()), ConfigError);  // no steps
}

}  // namespace
}  // namespace halfstep::metrics
