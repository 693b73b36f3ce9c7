// Runs that an error ends: the state after the last whole update is saved, and is finite.
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cmath>
#include <limits>
#include <memory>
#include <span>
#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/io/system_calls.h"
#include "halfstep/train/run.h"
#include "halfstep/train/training_error.h"
#include "tests/support/expect_throws.h"
#include "tests/train/run_fixture.h"

namespace halfstep {
namespace {

using test::Recorder;
using test::RunTest;

// Cannot read an image after `whole` reads. It expects one loading thread.
class BrokenDataset final : public data::Dataset {
 public:
  explicit BrokenDataset(int64_t whole) : whole_(whole) {}
  const data::DatasetInfo& info() const override { return images_->info(); }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override {
    if (++reads_ > whole_) throw FormatError("7.png", "expected a PNG, received half of one");
    return images_->read(index, chw);
  }
  std::string fingerprint() const override { return images_->fingerprint(); }

 private:
  std::shared_ptr<data::Dataset> images_ = test::small_dataset();
  int64_t whole_;
  mutable std::atomic<int64_t> reads_ = 0;
};

class EndsInTheGrid final : public Recorder {
 public:
  void on_stage_end(const std::filesystem::path& /*folder*/, const Model& /*model*/) override {
    throw IoError("samples.png", "expected to write, received an error");
  }
};

class EndsInTheStatistics final : public Recorder {
 public:
  void on_stats(const StatsLine& line) override {
    if (line.update == 6) throw IoError("events", "expected to write, received an error");
  }
};

RunOptions rarely_saved(RunOptions options) {
  options.update.checkpoint_every = {.count = 1000, .unit = 0};
  return options;
}

// Continues the run to its end, and expects the same bits as without the error.
void expect_resumed_to_the_same_end(const RunDirectory& directory,
                                    const std::filesystem::path& outdir) {
  Recorder resumed;
  ASSERT_EQ(test::run(directory, resumed), Outcome::finished);
  const RunDirectory whole = test::start_run(outdir / "whole", directory.options());
  Recorder other;
  ASSERT_EQ(test::run(whole, other), Outcome::finished);
  test::expect_same_end(directory, whole);
}

TEST_F(RunTest, ImageThatCannotBeReadCostsNoUpdate) {
  const RunDirectory directory =
      test::start_run(folder.path(), rarely_saved(test::small_training()));
  const int64_t batch = directory.options().update.batch;
  test::expect_throws<FormatError>({"7.png", "half of one"}, [&] {
    test::run(directory, recorder, std::make_shared<BrokenDataset>(5 * batch + 1));
  });
  EXPECT_TRUE(recorder.received("stopped after update 5; the state is saved"));
  EXPECT_EQ(directory.load_state()->progress.total_updates, 5);
  expect_resumed_to_the_same_end(directory, folder.path());
}

TEST_F(RunTest, ErrorBeforeTheFirstUpdateSavesNothing) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_training());
  test::expect_throws<FormatError>(
      {"7.png"}, [&] { test::run(directory, recorder, std::make_shared<BrokenDataset>(0)); });
  EXPECT_FALSE(directory.load_state());
  expect_resumed_to_the_same_end(directory, folder.path());
}

TEST_F(RunTest, ErrorOfAnObserverCostsNoUpdate) {
  const RunDirectory directory =
      test::start_run(folder.path(), rarely_saved(test::small_training()));
  EndsInTheStatistics observer;
  test::expect_throws<IoError>({"events"}, [&] { test::run(directory, observer); });
  EXPECT_EQ(directory.load_state()->progress.total_updates, 6);
  expect_resumed_to_the_same_end(directory, folder.path());
}

TEST_F(RunTest, ErrorAtTheEndOfAStageCostsNoUpdate) {
  const RunDirectory directory =
      test::start_run(folder.path(), rarely_saved(test::small_distillation()));
  EndsInTheGrid observer;
  test::expect_throws<IoError>({"samples.png"}, [&] { test::run(directory, observer); });
  EXPECT_EQ(directory.load_state()->progress.update, 4);  // of 4
  expect_resumed_to_the_same_end(directory, folder.path());
}

// The update whose line of statistics is missing must be repeated.
TEST_F(RunTest, StateWithoutItsStatisticsIsNotSaved) {
  class FullForStatistics final : public io::SystemCalls {
   public:
    int open(const char* path, int flags, mode_t mode) override {
      if (std::string_view(path).find("stats.jsonl") == std::string_view::npos || ++lines_ < 4)
        return SystemCalls::open(path, flags, mode);
      errno = ENOSPC;
      return -1;
    }

   private:
    std::atomic<int> lines_ = 0;
  } calls;
  RunOptions options = rarely_saved(test::small_training());
  options.update.log_every = 1;
  const RunDirectory directory = test::start_run(folder.path(), options);
  {
    const io::ReplacedSystemCalls replaced(calls);
    test::expect_throws<IoError>({"stats.jsonl"}, [&] { test::run(directory, recorder); });
  }
  EXPECT_FALSE(directory.load_state());
  expect_resumed_to_the_same_end(directory, folder.path());
}

TEST(SavedState, IsNeverWrittenWithNumbersThatAreNotFinite) {
  for (const double bad : {std::numeric_limits<double>::infinity(),
                           -std::numeric_limits<double>::infinity(), std::nan("")}) {
    for (Tensor OptimizerState::*const vector :
         {&OptimizerState::parameters, &OptimizerState::second_moment, &OptimizerState::ema}) {
      OptimizerState optimizer{.parameters = at::full({33}, 3e38F),
                               .first_moment = at::zeros({33}),
                               .second_moment = at::ones({33}),
                               .ema = at::full({33}, -3e38F)};
      SavedState state;
      StateImage image;
      state.networks["student"] = optimizer;
      EXPECT_NO_THROW(store(state, image));
      (optimizer.*vector)[17] = bad;
      test::expect_throws<TrainingError>({"student.", "finite"}, [&] { store(state, image); });
    }
  }
}

}  // namespace
}  // namespace halfstep
