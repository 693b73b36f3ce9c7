// Power cuts at any moment of a run.
#include <gtest/gtest.h>

#include "halfstep/io/file.h"
#include "halfstep/io/hash.h"
#include "halfstep/model/model_file.h"
#include "tests/io/crash_disk.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;

// After RunDirectory::create() has returned, the run can be resumed from whatever is on the disk:
// its options and its teacher exist, and if there is a state, so do the models of the stages before
// it and the lines of statistics that it counts.
class PowerCutTest : public ::testing::Test {
 protected:
  static void expect_sound(const fs::path& path) {
    const RunDirectory run(path);
    const std::vector<Stage> stages = run.options().stages();
    if (run.options().kind == RunKind::distill) {
      EXPECT_NO_THROW(Model::load(run.teacher_path()));
    }
    const std::optional<SavedState> state = run.load_state();
    if (!state) return;
    for (int64_t stage = 0; stage < state->progress.stage; ++stage) {
      EXPECT_NO_THROW(Model::load(run.stage_folder(stages[static_cast<size_t>(stage)])));
    }
    EXPECT_EQ(state->damage + state->stats_damage, "");
    EXPECT_EQ(run.truncate_stats(state->progress.stats_bytes), state->progress.stats_bytes);
    EXPECT_NO_THROW(test::stats_of(run));
  }

  // Resumes every `resumed`th possible state of the disk, which must end with the bits of the whole
  // run, and checks the others with expect_sound().
  void cut_everywhere(RunOptions options, size_t resumed) {
    const fs::path teacher = folder / "teacher.safetensors";
    test::small_teacher().save(teacher);
    if (options.kind == RunKind::distill)
      options.model.origin.teacher_sha256 = io::sha256_hex_of_file(teacher);
    fs::create_directories(folder / "runs");
    io::CrashDisk disk(folder / "runs");
    size_t made = 0;
    fs::path name;
    {
      const io::ReplacedSystemCalls replaced(disk);
      const RunDirectory whole =
          RunDirectory::create(folder / "runs", options, [&](const fs::path& to, const fs::path&) {
            io::write_file(to, io::read_bytes(teacher));
          });
      made = disk.size();
      name = whole.path().filename();
      Recorder recorder;
      ASSERT_EQ(test::run(whole, recorder), Outcome::finished);
    }
    const RunDirectory whole(folder / "runs" / name);
    size_t states = 0;
    for (size_t calls = made; calls <= disk.size(); ++calls) {
      disk.for_each_state(
          calls,
          [&](const fs::path& root) {
            SCOPED_TRACE(std::to_string(calls) + " calls");
            if (++states % resumed == 0) {
              io::Unsynced unsynced;
              const io::ReplacedSystemCalls quick(unsynced);
              const RunDirectory run(root / name);
              Recorder recorder;
              ASSERT_EQ(test::run(run, recorder), Outcome::finished);
              test::expect_same_end(run, whole);
            } else {
              expect_sound(root / name);
            }
          },
          3);
    }
    EXPECT_GT(states, 50u);
  }

  io::TemporaryFolder folder;
};

TEST_F(PowerCutTest, TrainingResumesToTheSameEnd) { cut_everywhere(test::small_training(), 15); }

TEST_F(PowerCutTest, DistillationResumesToTheSameEnd) {
  cut_everywhere(test::small_distillation(), 15);
}

}  // namespace
}  // namespace halfstep
