#include "halfstep/train/snapshots.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/newest_model.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;

// Records the snapshots and the teacher, too.
class Watcher final : public Recorder {
 public:
  void on_teacher(const fs::path& folder, const Model& teacher,
                  const std::vector<int64_t>& num_steps, std::optional<double> guidance) override {
    EXPECT_TRUE(fs::exists(folder / "options.json"));
    EXPECT_FALSE(teacher.spec().sampling.is_distilled());
    teacher_steps.push_back(num_steps);
    teacher_guidance = guidance;
  }
  void on_snapshot(const fs::path& folder, const Model& model, int64_t total_updates) override {
    EXPECT_TRUE(model_file_at(folder));
    snapshots.emplace_back(model.spec().sampling.num_steps, total_updates);
  }

  std::vector<std::vector<int64_t>> teacher_steps;
  std::optional<double> teacher_guidance;
  std::vector<std::pair<int64_t, int64_t>> snapshots;  // num_steps, total_updates
};

class SnapshotRuns : public testing::Test {
 protected:
  RunDirectory start(RunOptions options, int64_t snapshot_every) const {
    options.update.snapshot_every = snapshot_every;
    return test::start_run(folder / "runs", options);
  }

  io::TemporaryFolder folder;
};

TEST_F(SnapshotRuns, ShowTheTeacherWithTheGuidanceThatStudentsLearn) {
  Watcher fixed;
  test::run(start(test::small_guidance(), 0), fixed);
  EXPECT_EQ(fixed.teacher_guidance, 3.0);
  Watcher range;
  test::run(start(test::small_guidance_range(), 0), range);
  EXPECT_EQ(range.teacher_steps.size(), 1u);
  EXPECT_EQ(range.teacher_guidance, std::nullopt);
}

TEST_F(SnapshotRuns, EndWithTheBitsOfARunWithout) {
  const RunDirectory without = start(test::small_distillation(), 0);
  Watcher plain;
  test::run(without, plain);
  EXPECT_TRUE(plain.snapshots.empty());
  const RunDirectory with = start(test::small_distillation(), 2);  // 4 and 6 updates
  Watcher watcher;
  test::run(with, watcher);
  test::expect_same_end(without, with);
  EXPECT_EQ(watcher.snapshots, (std::vector<std::pair<int64_t, int64_t>>{{4, 2}, {2, 6}, {2, 8}}));
  EXPECT_EQ(watcher.teacher_steps, (std::vector<std::vector<int64_t>>{{8, 2}}));
  EXPECT_TRUE(fs::exists(with.path() / "stage-0002/snapshot-00000004/model.safetensors"));
  const ModelSpec spec = load_spec(with.path() / "stage-0002/snapshot-00000004");
  EXPECT_EQ(spec.origin.updates, 4);
}

TEST_F(SnapshotRuns, HaveTheSameSnapshotsAfterAKill) {
  const RunDirectory whole = start(test::small_training(), 3);  // 8 updates, a state every 2
  Watcher watcher;
  test::run(whole, watcher);
  const RunDirectory killed = start(test::small_training(), 3);
  Watcher first;
  first.kill_at = 5;
  EXPECT_THROW(test::run(killed, first), test::Killed);
  Watcher second;
  test::run(killed, second);
  EXPECT_TRUE(second.teacher_steps.empty()) << "a training has no teacher";
  for (const char* name : {"snapshot-00000003", "snapshot-00000006"}) {
    EXPECT_EQ(io::read_file(whole.path() / name / "model.safetensors"),
              io::read_file(killed.path() / name / "model.safetensors"))
        << name;
  }
}

TEST_F(SnapshotRuns, NewestModelIsTheLastThatWasTrained) {
  const RunDirectory run = start(test::small_distillation(), 3);  // 4 and 6 updates
  const auto newest_after = [&](size_t updates) {
    Recorder recorder;
    recorder.stop_at = updates;
    test::run(run, recorder);
    const NewestModel newest = newest_model(run);
    return newest.file.lexically_relative(run.path()).string() + " " + newest.description;
  };
  test::expect_throws<ConfigError>({run.path().string(), "no snapshots", "--snapshot-every"},
                                   [&] { newest_model(run); });
  EXPECT_EQ(newest_after(3),
            "stage-0004/snapshot-00000003/model.safetensors the snapshot at update 3 of 4 of "
            "stage 8 -> 4 steps");
  EXPECT_EQ(newest_after(2), "stage-0004/model.safetensors the model of stage 8 -> 4 steps");
  EXPECT_EQ(newest_after(2),
            "stage-0002/snapshot-00000003/model.safetensors the snapshot at update 3 of 6 of "
            "stage 4 -> 2 steps");
  EXPECT_EQ(newest_after(100), "stage-0002/model.safetensors ");
}

TEST_F(SnapshotRuns, ASnapshotAfterTheModelOfATrainingThatContinuesIsNewer) {
  const RunDirectory run = start(test::small_training(), 5);  // 8 updates
  Recorder recorder;
  test::run(run, recorder);
  EXPECT_EQ(newest_model(run).description, "");
  RunOptions longer = run.options();
  longer.train.updates = 12;
  run.write_options(longer);
  Recorder more;
  more.stop_at = 3;
  test::run(run, more);
  EXPECT_EQ(newest_model(run).description, "the snapshot at update 10 of 12 of stage training");
}

TEST_F(SnapshotRuns, OtherFoldersAreNotSnapshots) {
  const RunDirectory run = start(test::small_training(), 0);
  for (const char* name : {"snapshot-", "snapshot-x", "snapshot-3x", "snapshot-0", "snapshot-7"})
    fs::create_directory(run.path() / name);
  EXPECT_TRUE(snapshots_of(run, run.options().stages()[0]).empty());
}

TEST(ModelsToCome, AreThoseOfTheStagesAndOfTheirSnapshots) {
  RunOptions options = test::small_distillation();
  const std::vector<Stage> stages = options.stages();  // 4 and 6 updates
  EXPECT_EQ(models_to_come(options, stages, {}), 2);
  options.update.snapshot_every = 2;  // after 2; after 2 and 4
  EXPECT_EQ(models_to_come(options, stages, {}), 5);
  EXPECT_EQ(models_to_come(options, stages, {.stage = 1, .update = 3}), 2);
}

}  // namespace
}  // namespace halfstep
