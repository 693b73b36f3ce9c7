// Classes are compared by name between a model and the data it is trained on.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/train/plan.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

using Names = std::vector<std::string>;

// A data set of images 1 x 8 x 8 whose two classes have these names.
class NamedDataset final : public data::Dataset {
 public:
  explicit NamedDataset(Names names) : info_(test::small_dataset()->info()) {
    info_.class_names = std::move(names);
  }
  const data::DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t /*index*/, std::span<uint8_t> /*chw*/) const override { return 0; }
  std::string fingerprint() const override { return "named"; }

 private:
  data::DatasetInfo info_;
};

RunOptions distillation_of(const Names& teacher) {
  RunOptions options = test::small_distillation();
  options.model.class_names = teacher;
  return options;
}

TEST(ClassNames, DataMustHaveThoseOfTheTeacherInTheSameOrder) {
  const RunOptions options = distillation_of({"cat", "dog"});
  EXPECT_NO_THROW(require_data(options, NamedDataset({"cat", "dog"})));
  test::expect_throws<ConfigError>({"classes", "shades", "class 1", "\"emu\"", "\"dog\""}, [&] {
    require_data(options, NamedDataset({"cat", "emu"}));
  });
  test::expect_throws<ConfigError>({"class 0"}, [&] {
    require_data(options, NamedDataset({"dog", "cat"}));
  });
}

TEST(ClassNames, AreNotComparedWhereOneSideHasNone) {
  EXPECT_NO_THROW(require_data(distillation_of({}), NamedDataset({"cat", "dog"})));
  EXPECT_NO_THROW(require_data(distillation_of({"cat", "dog"}), NamedDataset({})));
}

TEST(ClassNames, TrainingDataMustHaveThoseOfTheInitModel) {
  RunOptions options = test::small_training();
  options.model.class_names = {"cat", "dog"};
  ModelSpec init = options.model;
  EXPECT_NO_THROW(start_from(options, init, "hash"));
  init.class_names = {"cat", "emu"};
  test::expect_throws<ConfigError>({"init", "classes", "\"emu\""},
                                   [&] { start_from(options, init, "hash"); });
}

}  // namespace
}  // namespace halfstep
