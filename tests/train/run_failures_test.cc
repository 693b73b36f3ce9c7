// Skipped updates, diverged stages, loss spikes, full disks and locked runs.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/checkpoint/run_lock.h"
#include "halfstep/core/error.h"
#include "halfstep/io/system_calls.h"
#include "halfstep/train/run.h"
#include "tests/io/full_disk.h"
#include "tests/model/small_models.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/train/run_fixture.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;
using test::RunTest;

// Changes its labels to 1 after `from` reads. It expects one loading thread.
class RelabelingDataset final : public data::Dataset {
 public:
  explicit RelabelingDataset(int64_t from) : from_(from) {}
  const data::DatasetInfo& info() const override { return images_->info(); }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override {
    images_->read(index, chw);
    return ++reads_ > from_ ? 1 : 0;
  }
  std::string fingerprint() const override { return images_->fingerprint(); }

 private:
  std::shared_ptr<data::Dataset> images_ = test::small_dataset();
  int64_t from_;
  mutable std::atomic<int64_t> reads_ = 0;
};

// Writes a teacher whose predictions for class 1 are not finite.
void break_class_one(const RunDirectory& directory) {
  test::with_parameter(test::small_teacher(), "class_emb.weight", [](const Tensor& weight) {
    weight.select(1, 1).fill_(3e38);
  }).save(directory.teacher_path());
  test::record_models(directory);
}

RunOptions one_image_per_update() {
  RunOptions options = test::small_distillation();
  options.update.batch = 1;
  options.update.label_dropout = 0.0;
  options.update.checkpoint_every = {.count = 1, .unit = 0};
  return options;
}

TEST_F(RunTest, NonFiniteUpdatesAreSkippedAndCounted) {
  RunOptions options = one_image_per_update();
  options.distill.updates_per_stage = 24;
  options.distill.end_steps = 4;
  const RunDirectory directory = test::start_run(folder.path(), options);
  break_class_one(directory);
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  // Two epochs of 12 images, half of them of class 1.
  EXPECT_EQ(recorder.records.back().skipped, 12);
  EXPECT_EQ(test::stats_of(directory).back().at("skipped"), 12);
  EXPECT_TRUE(recorder.received("not finite"));
  const SavedState state = directory.load_state().value();
  EXPECT_EQ(state.networks.at("student").updates, 24);
  EXPECT_EQ(state.networks.at("student").adam_updates, 12);
  EXPECT_NO_THROW(Model::load(directory.path() / "stage-0004"));  // all finite
}

TEST_F(RunTest, TooManySkippedUpdatesEndTheRunWithTheStateBeforeThem) {
  RunOptions options = one_image_per_update();
  options.distill.updates_per_stage = 100;
  const RunDirectory directory = test::start_run(folder.path(), options);
  break_class_one(directory);
  test::expect_throws<Error>({"20 updates", "not finite", "try a lower --lr"}, [&] {
    test::run(directory, recorder, std::make_shared<RelabelingDataset>(3));
  });
  const SavedState state = directory.load_state().value();
  EXPECT_EQ(state.progress.total_updates, 3);
  EXPECT_EQ(state.progress.update, 3);
  EXPECT_EQ(state.progress.skipped, 0);
  EXPECT_EQ(state.networks.at("student").updates, 3);
  EXPECT_EQ(state.networks.at("student").adam_updates, 3);
  EXPECT_TRUE(state.networks.at("student").parameters.isfinite().all().item<bool>());
  // With valid data, the run continues from there.
  Recorder resumed;
  resumed.stop_at = 2;
  EXPECT_EQ(test::run(directory, resumed, std::make_shared<RelabelingDataset>(1000)),
            Outcome::interrupted);
  EXPECT_EQ(resumed.records.front().update, 4);
  EXPECT_EQ(resumed.records.front().skipped, 0);
}

TEST_F(RunTest, FewerSkippedUpdatesDoNotEndTheRun) {
  RunOptions options = one_image_per_update();
  options.distill.updates_per_stage = 3 + kMaxSkipped - 1;
  options.distill.end_steps = 4;
  const RunDirectory directory = test::start_run(folder.path(), options);
  break_class_one(directory);
  EXPECT_EQ(test::run(directory, recorder, std::make_shared<RelabelingDataset>(3)),
            Outcome::finished);
  EXPECT_EQ(recorder.records.back().skipped, kMaxSkipped - 1);
  EXPECT_TRUE(test::stats_of(directory).back().at("loss").is_null());
}

// The learning rate is so high that the student ends worse than it starts.
RunOptions diverging() {
  RunOptions options = test::small_distillation();
  options.update.lr = 1.0;
  options.update.anneal = false;
  options.update.grad_clip = 0.0;
  return options;
}

TEST_F(RunTest, DivergedStageCausesAWarning) {
  const RunDirectory directory = test::start_run(folder.path(), diverging());
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  EXPECT_TRUE(recorder.received("stage 8 -> 4 steps diverged: its student's loss rose from"));
  EXPECT_EQ(recorder.finished_steps, (std::vector<int64_t>{4, 2}));
  RunOptions still = test::small_distillation();
  still.update.lr = 1e-30;
  Recorder converged;
  test::run(test::start_run(folder.path(), still), converged);
  EXPECT_FALSE(converged.received("diverged"));
  // The initial loss is that of the init model, not that of the teacher.
  still.distill.method = DistillMethod::direct;
  start_from(still, test::small_init().spec(), "hash");
  Recorder refined;
  test::run(test::start_run(folder.path(), still), refined);
  EXPECT_FALSE(refined.received("diverged"));
}

TEST_F(RunTest, DivergedStageStopsTheRunWithOnDivergenceStop) {
  RunOptions options = diverging();
  options.distill.on_divergence = OnDivergence::stop;
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::expect_throws<Error>({"stage 8 -> 4 steps diverged", "saved", "resume continues"},
                             [&] { test::run(directory, recorder); });
  EXPECT_EQ(recorder.finished_steps, std::vector<int64_t>{4});
  EXPECT_EQ(directory.load_state()->progress.stage, 1);
  Recorder resumed;
  resumed.stop_at = 1;
  EXPECT_EQ(test::run(directory, resumed), Outcome::interrupted);
  EXPECT_EQ(resumed.records.front().stage, 1);
}

TEST_F(RunTest, DivergedStageStopsEveryProcess) {
  REQUIRE_GLOO();
  RunOptions options = diverging();
  options.distill.on_divergence = OnDivergence::stop;
  const RunDirectory directory = test::start_run(folder.path(), options);
  for (const std::string& failure : test::run_by(2, directory))
    EXPECT_NE(failure.find("stage 8 -> 4 steps diverged"), std::string::npos) << failure;
  EXPECT_EQ(directory.load_state()->progress.stage, 1);
}

// The weights are changed between two parts of a run, so that its losses jump.
TEST_F(RunTest, SpikesAreReportedOnceAndCountedAcrossAResume) {
  RunOptions options = test::small_training();
  options.update.lr = 1e-30;
  options.train.updates = 70;
  const RunDirectory directory = test::start_run(folder.path(), options);
  recorder.stop_at = 61;
  EXPECT_EQ(test::run(directory, recorder), Outcome::interrupted);
  EXPECT_FALSE(recorder.received("spike"));
  EXPECT_EQ(test::stats_of(directory).back().at("spikes"), 0);

  StateSlots slots = directory.states();
  const SavedState state = load_state(slots).value();
  EXPECT_EQ(state.progress.losses.recent.size(), 61u);
  Tensor(state.networks.at("student").parameters).add_(5.0);
  fs::remove_all(directory.path() / "state");
  StateImage image;
  store(state, image);
  slots.save(image);

  Recorder resumed;
  EXPECT_EQ(test::run(directory, resumed), Outcome::finished);
  EXPECT_EQ(test::stats_of(directory).back().at("spikes"), 9);
  EXPECT_EQ(std::ranges::count_if(resumed.messages,
                                  [](const std::string& message) {
                                    return message.find("the loss spiked") != std::string::npos;
                                  }),
            1);
}

TEST_F(RunTest, SecondProcessOnTheSameRunIsRefused) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_training());
  const RunLock lock(directory.path());
  test::expect_throws<IoError>({"no other process works on", "process"},
                               [&] { test::run(directory, recorder); });
  EXPECT_TRUE(recorder.records.empty());
}

TEST_F(RunTest, RunThatDoesNotFitOnTheDiskIsNotStarted) {
  io::FullDisk full;
  const RunDirectory directory = test::start_run(folder.path(), test::small_distillation());
  const io::ReplacedSystemCalls replaced(full);
  test::expect_throws<IoError>({"free for the states and models of this run", "received 0.0 MiB"},
                               [&] { test::run(directory, recorder); });
  EXPECT_TRUE(recorder.records.empty());
}

// States are written by another thread; its error must reach the caller.
TEST_F(RunTest, FailedSaveEndsTheRunAndKeepsThePreviousState) {
  class FullAfterOne final : public io::SystemCalls {
   public:
    int open(const char* path, int flags, mode_t mode) override {
      if (std::string_view(path).find("tensors.safetensors") == std::string_view::npos ||
          ++states_ == 1) {
        return SystemCalls::open(path, flags, mode);
      }
      errno = ENOSPC;
      return -1;
    }

   private:
    std::atomic<int> states_ = 0;
  } calls;
  const RunDirectory directory = test::start_run(folder.path(), test::small_training());
  {
    const io::ReplacedSystemCalls replaced(calls);
    test::expect_throws<IoError>({"tensors.safetensors", "No space left on device"},
                                 [&] { test::run(directory, recorder); });
  }
  EXPECT_EQ(directory.load_state()->progress.total_updates, 2);
  Recorder resumed;
  EXPECT_EQ(test::run(directory, resumed), Outcome::finished);
  EXPECT_EQ(resumed.begins, std::vector<int64_t>{2});
}

TEST_F(RunTest, MissingTeacherIsAnError) {
  const RunDirectory directory = RunDirectory::create(folder.path(), test::small_distillation());
  test::expect_throws<IoError>({"teacher.safetensors"}, [&] { test::run(directory, recorder); });
}

}  // namespace
}  // namespace halfstep
