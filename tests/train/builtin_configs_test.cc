#include "halfstep/train/builtin_configs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "halfstep/core/error.h"
#include "halfstep/core/random.h"
#include "halfstep/io/file.h"
#include "halfstep/nn/unet.h"
#include "halfstep/train/config.h"
#include "halfstep/train/plan.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"

namespace halfstep {
namespace {

using test::expect_throws;

// A data set with the information that planning needs, and no images.
class ShapeOfData final : public data::Dataset {
 public:
  explicit ShapeOfData(data::DatasetInfo info) : info_(std::move(info)) {}
  const data::DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t, std::span<uint8_t>) const override { return -1; }
  std::string fingerprint() const override { return "shape"; }

 private:
  data::DatasetInfo info_;
};

ShapeOfData square(const std::string& name, int64_t channels, int64_t size, int64_t num_classes) {
  return ShapeOfData({.name = name,
                      .format = "test",
                      .size = 10,
                      .channels = channels,
                      .height = size,
                      .width = size,
                      .num_classes = num_classes});
}

ModelSpec planned(const std::string& config, const data::Dataset& dataset) {
  const RunOptions options = plan_training(load_config(config), dataset);
  validate(options);
  return options.model;
}

// Parameters are uninitialized memory, so that even large networks are made quickly.
int64_t parameters_of(const ModelSpec& spec) { return count_parameters(*make_network(spec)); }

TEST(BuiltinConfigs, AreTheSortedFilesOfConfigs) {
  std::vector<std::string> names;
  for (const BuiltinConfig& config : builtin_configs()) names.emplace_back(config.name);
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
  for (const char* name : {"fashion", "cifar10", "cifar10-small", "imagenet64", "lsun-bedroom128",
                           "lsun-church128", "small", "base", "large"}) {
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
  }
}

TEST(BuiltinConfigs, LoadAndValidateForTrainingAndDistillation) {
  for (const BuiltinConfig& builtin : builtin_configs()) {
    SCOPED_TRACE(builtin.name);
    const Config config = load_config(std::string(builtin.name));
    EXPECT_EQ(config.name, builtin.name);
    EXPECT_NO_THROW(validate(config.train_update));
    EXPECT_NO_THROW(validate(config.distill_update));
    EXPECT_FALSE(distillation_stages(config.distill).empty());
    EXPECT_FALSE(config.train_update.anneal);
    EXPECT_TRUE(config.distill_update.anneal);        // as in the paper
    EXPECT_EQ(config.distill_update.ema_decay, 0.0);  // students have no EMA
    EXPECT_GT(config.train_update.ema_decay, 0.0);
  }
}

TEST(BuiltinConfigs, PresetsFitTheirLevelsToTheImages) {
  for (const char* preset : {"small", "base", "large"}) {
    for (const int64_t size : {4, 16, 28, 32, 48, 64, 100, 128, 256}) {
      SCOPED_TRACE(std::string(preset) + " " + std::to_string(size));
      const ModelSpec spec = planned(preset, square("photos", 3, size, 5));
      const auto levels = std::get<UNetOptions>(spec.network).ch_mult.size();
      EXPECT_EQ(static_cast<int64_t>(levels), levels_for(size));
      EXPECT_NO_THROW(make_network(spec));
    }
  }
  EXPECT_EQ(levels_for(7), 1);
  EXPECT_EQ(levels_for(28), 3);
  EXPECT_EQ(levels_for(64), 4);
  EXPECT_EQ(levels_for(100), 3);
}

TEST(BuiltinConfigs, HaveThePapersParameterCounts) {
  EXPECT_EQ(parameters_of(planned("cifar10", square("cifar10", 3, 32, 10))), 60'004'099);
  EXPECT_EQ(parameters_of(planned("imagenet64", square("imagenet", 3, 64, 1000))), 295'905'222);
  EXPECT_EQ(parameters_of(planned("lsun-bedroom128", square("lsun", 3, 128, 0))), 139'578'502);
  EXPECT_EQ(parameters_of(planned("lsun-church128", square("lsun", 3, 128, 0))), 139'578'502);
}

TEST(BuiltinConfigs, HaveTheImageSizesOfTheirDataSets) {
  EXPECT_EQ(test::unet(load_config("fashion").model).image_size, 28);
  EXPECT_EQ(test::unet(load_config("fashion").model).in_channels, 1);
  EXPECT_EQ(test::unet(load_config("fashion").model).num_classes, 10);
  EXPECT_EQ(test::unet(load_config("cifar10").model).image_size, 32);
  EXPECT_EQ(test::unet(load_config("imagenet64").model).image_size, 64);
  EXPECT_EQ(test::unet(load_config("lsun-church128").model).image_size, 128);
}

TEST(BuiltinConfigs, EveryParameterHasItsOwnRandomStream) {
  const UNet network(test::unet(planned("imagenet64", square("imagenet", 3, 64, 1000))));
  std::set<uint32_t> sites;
  for (const NamedTensor& named : network.parameters()) sites.insert(site_of(named.name));
  EXPECT_EQ(sites.size(), network.parameters().size());
}

TEST(BuiltinConfigs, FashionHasAtMostOneAndAHalfMillionParameters) {
  const ModelSpec spec = planned("fashion", square("fashion", 1, 28, 10));
  EXPECT_LE(parameters_of(spec), 1'500'000);
  EXPECT_TRUE(spec.has_null_class);
}

TEST(LoadConfig, ReadsAFile) {
  const io::TemporaryFolder folder;
  const auto file = folder / "mine.json";
  io::write_file(file, builtin_configs().front().json);
  const Config config = load_config(file.string());
  EXPECT_EQ(config.name, "mine");
  const Config builtin = load_config(std::string(builtin_configs().front().name));
  EXPECT_EQ(config.train.updates, builtin.train.updates);
  EXPECT_EQ(test::unet(config.model).ch, test::unet(builtin.model).ch);
}

TEST(LoadConfig, UnknownNameListsTheBuiltinOnes) {
  expect_throws<ConfigError>({"cifar10", "fashion", "nonesuch"}, [] { load_config("nonesuch"); });
}

TEST(LoadConfig, InvalidKeysAndValuesAreRejected) {
  const io::TemporaryFolder folder;
  const auto refused = [&](std::string_view text, std::initializer_list<std::string_view> words) {
    io::write_file(folder / "mine.json", text);
    expect_throws<FormatError>(words, [&] { load_config((folder / "mine.json").string()); });
  };
  refused(R"({"typo": 1})", {"mine.json", "typo"});
  refused(R"({"network": {"typo": 1}})", {"mine.json", "network", "typo"});
  refused(R"({"train": {"typo": 1}})", {"mine.json", "train", "typo", "updates"});
  refused(R"({"distill": {"updates": 1}})", {"mine.json", "distill", "updates"});
  refused(R"({"train": {"lr": true}})", {"mine.json", "lr", "true"});
  refused(R"([])", {"mine.json"});
  refused(R"({"output": )", {"mine.json"});
}

TEST(PlanTraining, DataSetDecidesImageSizeChannelsAndClasses) {
  Config config = load_config("fashion");
  const ShapeOfData data({.name = "clothes",
                          .format = "test",
                          .size = 10,
                          .channels = 3,
                          .height = 16,
                          .width = 16,
                          .num_classes = 2,
                          .class_names = {"shirt", "shoe"}});
  const RunOptions options = plan_training(config, data);
  EXPECT_EQ(options.kind, RunKind::train);
  EXPECT_EQ(test::unet(options.model).image_size, 16);
  EXPECT_EQ(test::unet(options.model).in_channels, 3);
  EXPECT_EQ(test::unet(options.model).out_channels, 3);
  EXPECT_EQ(test::unet(options.model).num_classes, 2);
  EXPECT_EQ(options.model.class_names, data.info().class_names);
  EXPECT_EQ(options.model.origin.data, "clothes");
  EXPECT_EQ(options.model.origin.data_fingerprint, "shape");
  EXPECT_EQ(options.model.sampling.num_steps, 0);
  config.model.output = Output::x_and_eps;
  EXPECT_EQ(test::unet(plan_training(config, data).model).out_channels, 6);
}

TEST(PlanTraining, LabelDropoutMakesTheNullClass) {
  Config config = load_config("fashion");
  const ShapeOfData data = square("clothes", 1, 28, 10);
  config.train_update.label_dropout.reset();
  EXPECT_EQ(plan_training(config, data).update.label_dropout, 0.1);
  EXPECT_TRUE(plan_training(config, data).model.has_null_class);
  config.train_update.label_dropout = 0.0;
  EXPECT_FALSE(plan_training(config, data).model.has_null_class);
  config.conditional = false;
  config.train_update.label_dropout.reset();
  const RunOptions unconditional = plan_training(config, data);
  EXPECT_EQ(unconditional.update.label_dropout, 0.0);
  EXPECT_EQ(test::unet(unconditional.model).num_classes, 0);
  EXPECT_FALSE(unconditional.model.has_null_class);
}

TEST(PlanTraining, UnsuitableDataIsRejected) {
  const Config config = load_config("fashion");
  expect_throws<ConfigError>({"conditional", "clothes"},
                             [&] { plan_training(config, square("clothes", 1, 28, 0)); });
  const ShapeOfData wide({.name = "wide",
                          .format = "test",
                          .size = 10,
                          .channels = 1,
                          .height = 28,
                          .width = 32,
                          .num_classes = 10});
  expect_throws<ConfigError>({"square", "28 x 32", "wide"}, [&] { plan_training(config, wide); });
}

RunOptions plan(const Config& config, const ModelSpec& teacher, const std::string& sha256,
                const data::Dataset& dataset) {
  return plan_distillation(config.distill, config.distill_update, teacher, sha256, dataset);
}

TEST(PlanDistillation, StudentHasTheSpecOfTheTeacher) {
  const Config config = load_config("fashion");
  const ShapeOfData data = square("clothes", 1, 28, 10);
  const ModelSpec teacher = planned("fashion", data);
  const RunOptions options = plan(config, teacher, "hash", data);
  EXPECT_NO_THROW(validate(options));
  EXPECT_EQ(options.kind, RunKind::distill);
  EXPECT_EQ(options.model.origin.teacher_sha256, "hash");
  EXPECT_EQ(options.update.label_dropout, 0.1);  // the student keeps its null class
  EXPECT_EQ(options.update.lr, config.distill_update.lr);
}

TEST(PlanDistillation, ConvertsATeacherWithAnotherOutput) {
  Config config = load_config("fashion");
  const ShapeOfData data = square("clothes", 1, 28, 10);
  ModelSpec teacher = planned("fashion", data);
  teacher.output = Output::eps;
  EXPECT_EQ(plan(config, teacher, "", data).model.output, Output::eps);
  config.distill.student_output = Output::v;
  const RunOptions options = plan(config, teacher, "", data);
  EXPECT_EQ(options.model.output, Output::v);
  EXPECT_EQ(options.distill.student_output, Output::v);
  EXPECT_EQ(options.stages().front().kind, StageKind::convert);
  teacher.output = Output::v;  // nothing to convert
  EXPECT_FALSE(plan(config, teacher, "", data).distill.student_output.has_value());
}

TEST(PlanDistillation, RejectsImpossibleConversions) {
  Config config = load_config("fashion");
  const ShapeOfData data = square("clothes", 1, 28, 10);
  ModelSpec teacher = planned("fashion", data);
  config.distill.student_output = Output::x_and_eps;
  expect_throws<ConfigError>({"student_output", "as many channels", "x_and_eps"},
                             [&] { plan(config, teacher, "", data); });
  config.distill.student_output = teacher.output == Output::x ? Output::v : Output::x;
  config.distill.start_steps = teacher.sampling.num_steps = 8;
  expect_throws<ConfigError>({"student_output", "distilled"},
                             [&] { plan(config, teacher, "", data); });
}

TEST(PlanDistillation, DataAndStepsMustMatchTheTeacher) {
  const Config config = load_config("fashion");
  const ShapeOfData data = square("clothes", 1, 28, 10);
  ModelSpec teacher = planned("fashion", data);
  const auto refused = [&](const data::Dataset& dataset,
                           std::initializer_list<std::string_view> words) {
    expect_throws<ConfigError>(words, [&] { plan(config, teacher, "", dataset); });
  };
  refused(square("cats", 3, 28, 10), {"data", "[1, 28, 28]", "[3, 28, 28]", "cats"});
  refused(square("cats", 1, 32, 10), {"data", "[1, 28, 28]", "[1, 32, 32]", "cats"});
  refused(square("cats", 1, 28, 3), {"classes", "10", "3", "cats"});
  teacher.sampling.num_steps = 8;
  refused(data, {"start_steps", "expected 8", "received 32"});
}

}  // namespace
}  // namespace halfstep
