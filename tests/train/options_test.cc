#include "halfstep/train/options.h"

#include <gtest/gtest.h>

#include <functional>
#include <limits>
#include <nlohmann/json.hpp>

#include "halfstep/core/error.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/train/stage_lists.h"

namespace halfstep {
namespace {

using nlohmann::json;
using test::expect_throws;
using test::steps_of;
using test::updates_of;

RunOptions small_run(RunKind kind) {
  RunOptions options;
  options.kind = kind;
  options.data = "some/data.npy";
  options.model = test::small_model(3).spec();
  options.update.batch = 8;
  return options;
}

TEST(RunOptions, TrainingIsOneStage) {
  RunOptions options = small_run(RunKind::train);
  options.train.updates = 12;
  EXPECT_EQ(steps_of(options.stages()), (std::vector<int64_t>{0}));
  EXPECT_EQ(updates_of(options.stages()), (std::vector<int64_t>{12}));
}

TEST(RunOptions, DirectDistillationIsOneStage) {
  RunOptions options = small_run(RunKind::distill);
  options.distill = {.start_steps = 32, .end_steps = 4, .updates_per_stage = 7};
  for (const Stage& stage : options.stages()) EXPECT_EQ(teacher_calls(stage.objective), 2);
  options.distill.method = DistillMethod::direct;
  ASSERT_EQ(steps_of(options.stages()), (std::vector<int64_t>{4}));
  const Stage stage = options.stages().front();
  EXPECT_EQ(stage.updates, 7);
  EXPECT_EQ(teacher_calls(stage.objective), 8);
  EXPECT_EQ(stage.teacher_steps(), 32);
  EXPECT_EQ(stage.forwards(), 11.0);
  options.distill.student_output = Output::x;
  EXPECT_EQ(options.stages().front().kind, StageKind::convert);
  options.init_sha256 = "abc";
  expect_throws<ConfigError>({"student_output", "the student exists"}, [&] { validate(options); });
}

TEST(RunOptions, InitNeedsADirectDistillation) {
  RunOptions options = small_run(RunKind::distill);
  options.init_sha256 = "abc";
  expect_throws<ConfigError>({"method", "expected direct", "halving"}, [&] { validate(options); });
  options.distill.method = DistillMethod::direct;
  EXPECT_NO_THROW(validate(options));
}

TEST(RunOptions, GuidanceIsLearnedFromTheTeacherAndNotFromAnInit) {
  RunOptions options = small_run(RunKind::distill);
  options.distill.method = DistillMethod::direct;
  options.distill.guidance = {.min = 2.0, .max = 2.0};
  EXPECT_NO_THROW(validate(options));
  options.init_sha256 = "abc";
  expect_throws<ConfigError>({"guidance", "the student exists", "2"}, [&] { validate(options); });
}

TEST(RunOptions, EveryFieldSurvivesJson) {
  RunOptions options = small_run(RunKind::distill);
  options.image_size = 8;
  options.threads = 3;
  options.init_sha256 = "abc";
  options.update = {.batch = 6,
                    .microbatch = 3,
                    .lr = 0.125,
                    .warmup = 4,
                    .anneal = true,
                    .weight_decay = 0.25,
                    .grad_clip = 0.5,
                    .ema_decay = 0.75,
                    .weighting = Weighting::snr_plus_one,
                    .label_dropout = 0.25,
                    .random_flip = false,
                    .seed = 18446744073709551615u,
                    .precision = PrecisionChoice::bf16,
                    .workers = 3,
                    .checkpoint_every = {.count = 5, .unit = 'h'},
                    .log_every = 2,
                    .snapshot_every = 3};
  options.distill = {.start_steps = 16, .end_steps = 2, .updates_per_stage = 9, .last_updates = 4};
  const json written = json::parse(to_json(options).dump());
  const RunOptions read = run_options_from_json(written, "test");
  EXPECT_EQ(to_json(read), written);
  EXPECT_EQ(read.kind, RunKind::distill);
  EXPECT_EQ(read.data, options.data);
  EXPECT_EQ(read.image_size, 8);
  EXPECT_EQ(read.threads, 3);
  EXPECT_EQ(read.init_sha256, "abc");
  EXPECT_EQ(read.update.lr, 0.125);
  EXPECT_EQ(read.update.seed, options.update.seed);
  EXPECT_EQ(read.update.weighting, Weighting::snr_plus_one);
  EXPECT_EQ(updates_of(read.stages()), updates_of(options.stages()));
}

TEST(RunOptions, TrainingSurvivesJson) {
  RunOptions options = small_run(RunKind::train);
  options.train.updates = 77;
  const json written = to_json(options);
  EXPECT_FALSE(written.contains("distill"));
  EXPECT_EQ(run_options_from_json(written, "test").train.updates, 77);
}

TEST(RunOptions, InvalidJsonIsRejectedWithTheKey) {
  const json good = to_json(small_run(RunKind::train));
  const auto refused = [&](const char* pointer, const json& value,
                           std::initializer_list<std::string_view> words) {
    json changed = good;
    changed[json::json_pointer(pointer)] = value;
    expect_throws<FormatError>(words, [&] { run_options_from_json(changed, "options.json"); });
  };
  refused("/typo", 1, {"options.json", "typo"});
  refused("/update/typo", 1, {"options.json", "update", "typo"});
  refused("/train/typo", 1, {"options.json", "train", "typo"});
  refused("/model/network/typo", 1, {"options.json", "model", "typo"});
  refused("/update/lr", "fast", {"options.json", "lr", "fast"});
  refused("/update/weighting", "heavy", {"weighting", "snr_trunc", "heavy"});
  refused("/update/seed", -1, {"seed", "-1"});
  refused("/kind", "guess", {"kind", "distill", "guess"});
  refused("/version", 3, {"version", "expected 1", "received 3"});
  refused("/update/checkpoint_every", "10 minutes", {"checkpoint_every", "10m", "10 minutes"});
  refused("/update/checkpoint_every", 10, {"checkpoint_every"});
  refused("/update", nullptr, {"options.json", "update"});
  refused("/model", nullptr, {"options.json", "model"});
  EXPECT_THROW(run_options_from_json(json::array(), "options.json"), FormatError);
}

TEST(CheckpointEvery, IsANumberOfUpdatesOrATime) {
  using namespace std::chrono_literals;
  for (const char* text : {"1", "500", "90s", "10m", "2h", "1000000000"})
    EXPECT_EQ(CheckpointEvery::of(text).value().text(), text);
  for (const char* text : {"", "s", "0", "-1", "0m", "1.5h", "10 m", "10ms", "1d", "1000000001"})
    EXPECT_FALSE(CheckpointEvery::of(text).has_value()) << text;
  const CheckpointEvery updates{.count = 3, .unit = 0};
  EXPECT_TRUE(updates.due(6, 0s));
  EXPECT_FALSE(updates.due(7, 1000h));
  const CheckpointEvery time{.count = 2, .unit = 'm'};
  EXPECT_FALSE(time.due(6, 119s));
  EXPECT_TRUE(time.due(7, 120s));
}

TEST(UpdateOptions, ErrorsNameTheField) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<std::pair<std::string, std::function<void(UpdateOptions&)>>> mistakes = {
      {"batch", [](UpdateOptions& o) { o.batch = 0; }},
      {"batch", [](UpdateOptions& o) { o.batch = 1'000'000'000'000; }},
      {"microbatch", [](UpdateOptions& o) { o.microbatch = -1; }},
      {"microbatch", [](UpdateOptions& o) { o.microbatch = 3; }},
      {"lr", [](UpdateOptions& o) { o.lr = 0.0; }},
      {"lr", [](UpdateOptions& o) { o.lr = kNan; }},
      {"warmup", [](UpdateOptions& o) { o.warmup = -1; }},
      {"warmup", [](UpdateOptions& o) { o.warmup = 1'000'000'000'000; }},
      {"weight_decay", [](UpdateOptions& o) { o.weight_decay = -0.1; }},
      {"weight_decay", [](UpdateOptions& o) { o.weight_decay = kInfinity; }},
      {"weight_decay", [](UpdateOptions& o) { o.weight_decay = 1.0 / o.lr; }},
      {"grad_clip", [](UpdateOptions& o) { o.grad_clip = -1.0; }},
      {"grad_clip", [](UpdateOptions& o) { o.grad_clip = kInfinity; }},
      {"ema_decay", [](UpdateOptions& o) { o.ema_decay = 1.0; }},
      {"label_dropout", [](UpdateOptions& o) { o.label_dropout = 1.5; }},
      {"workers", [](UpdateOptions& o) { o.workers = 0; }},
      {"log_every", [](UpdateOptions& o) { o.log_every = 0; }},
      {"snapshot_every", [](UpdateOptions& o) { o.snapshot_every = -1; }}};
  EXPECT_NO_THROW(validate(UpdateOptions{}));
  for (const auto& [field, make] : mistakes) {
    UpdateOptions options;
    make(options);
    expect_throws<ConfigError>({field}, [&] { validate(options); });
  }
}

TEST(RunOptions, NumbersOfUpdatesAndStepsAreBounded) {
  RunOptions options = small_run(RunKind::distill);
  options.distill.updates_per_stage = 10'000'000'000;
  expect_throws<ConfigError>({"updates_per_stage", "1 to 1000000000"}, [&] { validate(options); });
  options.distill = {.start_steps = int64_t{1} << 62, .end_steps = 1};
  expect_throws<ConfigError>({"start_steps", "1 to 1000000"}, [&] { validate(options); });
}

TEST(RunOptions, LabelDropoutNeedsANullClass) {
  RunOptions options = small_run(RunKind::train);
  options.update.label_dropout = 0.1;
  EXPECT_NO_THROW(validate(options));
  options.model.has_null_class = false;
  expect_throws<ConfigError>({"label_dropout", "null class"}, [&] { validate(options); });
}

TEST(RunOptions, ValidationCoversEveryPart) {
  RunOptions options = small_run(RunKind::train);
  options.train.updates = 0;
  expect_throws<ConfigError>({"updates"}, [&] { validate(options); });
  options = small_run(RunKind::distill);
  options.distill.start_steps = 5;
  expect_throws<ConfigError>({"start_steps"}, [&] { validate(options); });
  options = small_run(RunKind::train);
  test::unet(options.model).ch = 1;
  expect_throws<ConfigError>({"ch:"}, [&] { validate(options); });
}

TEST(WithUpdates, NeedsAConstantRateAndAtLeastTheUpdatesMade) {
  RunOptions options = small_run(RunKind::train);
  options.train.updates = 100;
  EXPECT_EQ(with_updates(options, 150, 100).train.updates, 150);
  EXPECT_EQ(with_updates(options, 60, 60).train.updates, 60);
  expect_throws<ConfigError>({"updates", "60 to", "59"}, [&] { with_updates(options, 59, 60); });
  options.update.anneal = true;
  expect_throws<ConfigError>({"updates", "annealed"}, [&] { with_updates(options, 150, 0); });
  expect_throws<ConfigError>({"updates", "distillation"},
                             [&] { with_updates(small_run(RunKind::distill), 150, 0); });
}

TEST(Precision, AutomaticIsTheBestOfTheDevice) {
  EXPECT_EQ(resolve(PrecisionChoice::fp32, UNetOptions(), at::kCPU), Precision::fp32);
  EXPECT_EQ(resolve(PrecisionChoice::bf16, UNetOptions(), at::kCPU), Precision::bf16);
  EXPECT_EQ(resolve(PrecisionChoice::automatic, UNetOptions(), at::kCPU), best_precision(at::kCPU));
}

TEST(Resolve, AutoIsFp32ForManySteps) {
  const auto precision = [](PrecisionChoice choice, int64_t num_steps) {
    return resolve(choice, UNetOptions(), at::kCPU, num_steps);
  };
  EXPECT_EQ(precision(PrecisionChoice::automatic, 32), best_precision(at::kCPU));
  EXPECT_EQ(precision(PrecisionChoice::automatic, 64), Precision::fp32);
  EXPECT_EQ(precision(PrecisionChoice::bf16, 512), Precision::bf16);
  EXPECT_EQ(precision(PrecisionChoice::fp32, 1), Precision::fp32);
}

TEST(ScaleUpdates, MultipliesEveryNumberThatIsSet) {
  TrainOptions train{.updates = 1000};
  scale_updates(train, 0.25);
  EXPECT_EQ(train.updates, 250);
  scale_updates(train, 1e-9);
  EXPECT_EQ(train.updates, 1);

  DistillOptions distill{.start_steps = 8, .end_steps = 2, .updates_per_stage = 101};
  scale_updates(distill, 0.5);
  EXPECT_EQ(distill.updates_per_stage, 51);
  EXPECT_FALSE(distill.last_updates.has_value());  // follows: 102
  EXPECT_EQ(distillation_stages(distill).back().updates, 102);
  EXPECT_FALSE(distill.match_updates.has_value());
  distill.match_updates = 10;
  distill.last_updates = 20;
  distill.guide_updates = 30;
  scale_updates(distill, 3.0);
  EXPECT_EQ(*distill.match_updates, 30);
  EXPECT_EQ(*distill.last_updates, 60);
  EXPECT_EQ(*distill.guide_updates, 90);

  DistillOptions matching{.method = DistillMethod::moment_matching, .updates_per_stage = 250};
  scale_updates(matching, 2.0);
  EXPECT_EQ(distillation_stages(matching).front().updates, 1000);
}

}  // namespace
}  // namespace halfstep
