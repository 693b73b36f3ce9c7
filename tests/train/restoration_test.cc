// Training and distilling models that restore images.
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/model/generate.h"
#include "halfstep/train/config.h"
#include "halfstep/train/diffused_batch.h"
#include "tests/model/small_models.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"
#include "tests/train/counting_images.h"
#include "tests/train/run_fixture.h"

namespace halfstep {
namespace {

using test::expect_throws;
using test::RunTest;
using Kind = ImageCondition::Kind;

BatchPlan inpainting_plan(double dropout = 0.0) {
  return {.shape = {1, 8, 8},
          .label_dropout = dropout,
          .condition = {.kind = Kind::inpainting},
          .seed = 11};
}

Tensor condition_of_batch(const data::ExampleBatch& examples, int64_t first, int64_t count,
                          const BatchPlan& plan) {
  const auto objective = make_objective(FromData{}, {});
  return diffuse_examples(examples, first, count, draws_of(*objective), plan, at::kCPU)
      .condition.tensors.at(kConditionImage);
}

TEST(RestorationBatch, HasTheConditionOfItsImagesAndKeys) {
  const data::ExampleBatch examples = test::images(8, 8, /*update=*/3);
  const BatchPlan plan = inpainting_plan();
  const Tensor condition = condition_of_batch(examples, 0, 8, plan);
  std::vector<RandomKey> keys;
  for (uint32_t e = 0; e < 8; ++e)
    keys.push_back({.seed = 11, .purpose = Purpose::mask, .index = examples.update, .example = e});
  const Tensor pixels =
      at::tensor(examples.bytes, at::TensorOptions().dtype(at::kByte)).reshape({8, 1, 8, 8});
  EXPECT_TRUE(at::equal(condition,
                        condition_tensor(plan.condition, known_of(plan.condition, pixels, keys))));
  EXPECT_TRUE(at::equal(condition_of_batch(examples, 5, 3, plan), condition.narrow(0, 5, 3)));
}

TEST(RestorationBatch, DropsTheConditionOfAFractionOfExamples) {
  const Tensor all = condition_of_batch(test::images(8), 0, 8, inpainting_plan());
  const Tensor some = condition_of_batch(test::images(8), 0, 8, inpainting_plan(0.5));
  int dropped = 0;
  for (int64_t e = 0; e < 8; ++e) {
    const bool is_null = some[e].eq(0).all().item<bool>();
    EXPECT_TRUE(is_null || at::equal(some[e], all[e]));
    dropped += is_null ? 1 : 0;
  }
  EXPECT_GT(dropped, 0);
  EXPECT_LT(dropped, 8);
}

TEST_F(RunTest, ChainsOfRestoringModelsKeepTheirCondition) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_inpainting_chain());
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  const Model student = Model::load(directory.path() / "matched-0002");
  EXPECT_EQ(student.spec().condition.kind, Kind::inpainting);
  const Tensor images = at::zeros({1, 1, 8, 8}, at::kByte);
  EXPECT_NO_THROW(generate(student, {1}, {.known = known_for(student.spec(), images, {1})}));
}

TEST_F(RunTest, RestorationByTwoProcessesEqualsThatByOne) {
  REQUIRE_GLOO();
  test::expect_two_processes_equal_one(folder.path(), test::small_inpainting_chain(),
                                       "matched-0002");
}

Config inpainting_config() {
  Config config = load_config("small");
  config.model.network = test::tiny_unet();
  config.fit_levels = false;
  config.model.condition = {.kind = Kind::inpainting};
  return config;
}

TEST(RestorationPlan, GivesTheNetworkItsCondition) {
  const RunOptions options = plan_training(inpainting_config(), *test::small_dataset());
  EXPECT_EQ(condition_channels(options.model.network), 2);
  EXPECT_NO_THROW(validate(options));
  EXPECT_FALSE(options.model.has_null_class);
}

TEST(RestorationPlan, StartsFromAModelThatRestoresNothing) {
  RunOptions options = plan_training(inpainting_config(), *test::small_dataset());
  ModelSpec init = options.model;
  init.condition = {};
  test::unet(init).condition_ch = 0;
  EXPECT_NO_THROW(start_from(options, init, "hash"));
  test::unet(init).num_classes = 2;
  expect_throws<ConfigError>({"init", "num_classes"}, [&] { start_from(options, init, "hash"); });
  init.has_null_class = true;
  EXPECT_NO_THROW(start_from(options, init, "hash"));
  init = options.model;
  init.condition = {.kind = Kind::super_resolution, .factor = 2};
  expect_throws<ConfigError>({"init", "inpainting", "super-resolution:2"},
                             [&] { start_from(options, init, "hash"); });
}

TEST(RestorationPlan, RefusesImagesThatCannotBeRestored) {
  Config config = inpainting_config();
  config.model.condition = {.kind = Kind::colour};
  expect_throws<ConfigError>({"colour", "3 channels", "received 1"},
                             [&] { validate(plan_training(config, *test::small_dataset())); });
}

}  // namespace
}  // namespace halfstep
