// Run directories of every format version there was stay readable and are resumed. A new version
// adds its own, made by the program of its time: `train` with a state every 3 updates, interrupted
// after the first.
#include <gtest/gtest.h>

#include "halfstep/data/open_dataset.h"
#include "halfstep/train/stats.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;

TEST(OldRuns, OfVersionOneIsReadAndResumedToItsEnd) {
  const fs::path data = fs::path(HALFSTEP_SOURCE_DIR) / "tests/train/data";
  const io::TemporaryFolder folder;
  fs::copy(data / "run-v1", folder / "run", fs::copy_options::recursive);
  const RunDirectory run(folder / "run");
  EXPECT_EQ(run.options().update.checkpoint_every, (CheckpointEvery{.count = 3, .unit = 0}));
  const SavedState state = run.load_state().value();
  EXPECT_EQ(state.progress.total_updates, 1);
  EXPECT_EQ(state.optimizer.adam_updates, 1);
  EXPECT_EQ(state.optimizer.parameters.numel(), state.optimizer.second_moment.numel());

  test::Recorder recorder;
  EXPECT_EQ(test::run(run, recorder, data::open_dataset(data / "dots.npy", {})), Outcome::finished);
  EXPECT_TRUE(recorder.was_told("resumed at update 1"));
  const std::vector<StatsLine> lines = read_stats(run.path() / "stats.jsonl");
  ASSERT_EQ(lines.size(), 24u);
  EXPECT_EQ(lines.front().loss, 0.546863317489624);  // the line of then
  EXPECT_LT(lines.back().loss.value(), 5.0);
  EXPECT_EQ(run.load_state()->progress.total_updates, 24);
  EXPECT_TRUE(fs::exists(run.path() / "model.safetensors"));
}

}  // namespace
}  // namespace halfstep
