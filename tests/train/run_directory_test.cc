#include "halfstep/train/run_directory.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/io/disk.h"
#include "halfstep/io/file.h"
#include "halfstep/io/json.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::expect_throws;

std::string name_of_run(const RunDirectory& run) { return run.path().filename().string(); }

SavedState state_at(int64_t total_updates) {
  SavedState state;
  state.progress = {.stage = 1,
                    .update = 3,
                    .total_updates = total_updates,
                    .skipped = 2,
                    .loss_sum = 0.1,
                    .loss_count = 4,
                    .seconds = 1.5,
                    .stats_bytes = 99};
  const Tensor vector = at::full({6}, static_cast<double>(total_updates));
  state.networks["student"] = {.parameters = vector,
                               .first_moment = vector * 2,
                               .second_moment = vector * 3,
                               .updates = 3,
                               .adam_updates = 1};
  state.fingerprint = {{"threads", 2}};
  return state;
}

class RunDirectoryTest : public ::testing::Test {
 protected:
  io::TemporaryFolder folder;
  RunDirectory run = RunDirectory::create(folder / "runs", test::small_training());
};

TEST_F(RunDirectoryTest, FoldersAreNamedAfterNumberDataAndKind) {
  EXPECT_EQ(name_of_run(run), "00000-shades-train");
  EXPECT_EQ(name_of_run(RunDirectory::create(folder / "runs", test::small_distillation())),
            "00001-shades-distill-8to2");
}

TEST_F(RunDirectoryTest, FindReturnsTheNewestRunWithTheSameOptions) {
  const fs::path outdir = folder / "runs";
  const RunDirectory newer = RunDirectory::create(outdir, test::small_training());
  RunOptions other = test::small_training();
  other.update.seed += 1;
  EXPECT_FALSE(RunDirectory::find(outdir, other).has_value());
  RunDirectory::create(outdir, other);
  fs::create_directories(outdir / "00041-shades-train");  // not a run yet
  EXPECT_EQ(RunDirectory::find(outdir, test::small_training())->path(), newer.path());
  EXPECT_FALSE(RunDirectory::find(folder / "nowhere", other).has_value());
}

TEST_F(RunDirectoryTest, NumberFollowsTheLargest) {
  fs::create_directories(folder / "runs" / "00041-other-train");
  fs::create_directories(folder / "runs" / "99-not-a-run");
  fs::create_directories(folder / "runs" / "notes");
  EXPECT_EQ(name_of_run(RunDirectory::create(folder / "runs", test::small_training())),
            "00042-shades-train");
}

TEST_F(RunDirectoryTest, DataNameIsMadeSafeForAFolder) {
  RunOptions options = test::small_training();
  for (const auto& [data, word] : std::vector<std::pair<std::string, std::string>>{
           {"a b/my data!.npy", "my-data-"}, {"folder/", "folder"}, {"/", "data"}}) {
    options.data = data;
    const std::string name = name_of_run(RunDirectory::create(folder / "runs", options));
    EXPECT_EQ(name.substr(6), word + "-train");
  }
}

TEST_F(RunDirectoryTest, OptionsAreReadBack) {
  EXPECT_EQ(to_json(run.options()), to_json(test::small_training()));
  RunOptions longer = test::small_training();
  longer.train.updates = 1234;
  run.write_options(longer);
  EXPECT_EQ(RunDirectory(run.path()).options().train.updates, 1234);
}

TEST_F(RunDirectoryTest, EachStageHasAFolder) {
  const auto folder_of = [&](int64_t steps) {
    return run.stage_folder(
        distillation_stages({.start_steps = 2 * steps, .end_steps = steps}).front());
  };
  EXPECT_EQ(run.stage_folder(training_stage(1)), run.path());
  EXPECT_EQ(folder_of(16), run.path() / "stage-0016");
  EXPECT_EQ(folder_of(16384), run.path() / "stage-16384");
}

TEST_F(RunDirectoryTest, OtherPathsAreNotRuns) {
  expect_throws<IoError>({"nowhere", "options.json", "does not exist"},
                         [&] { RunDirectory(folder / "nowhere"); });
  expect_throws<IoError>({"runs", "a folder without options.json"},
                         [&] { RunDirectory(folder / "runs"); });
  io::write_file(folder / "file", std::string_view("x"));
  expect_throws<IoError>({"a file"}, [&] { RunDirectory(folder / "file"); });
}

TEST_F(RunDirectoryTest, FolderThatCannotBeMadeIsAnIoError) {
  io::write_file(folder / "file", std::string_view("x"));
  expect_throws<IoError>({"file"},
                         [&] { RunDirectory::create(folder / "file", test::small_training()); });
}

TEST_F(RunDirectoryTest, LogLinesStartWithTheTime) {
  run.log("first");
  run.log("second");
  std::string lines = io::read_file(run.path() / "log.txt");
  std::replace_if(
      lines.begin(), lines.end(), [](unsigned char c) { return std::isdigit(c) != 0; }, '0');
  EXPECT_EQ(lines, "0000-00-00T00:00:00Z first\n0000-00-00T00:00:00Z second\n");
}

TEST_F(RunDirectoryTest, StatsAreAppendedAndTruncated) {
  const uint64_t one = run.append_stats({{"update", 1}});
  const uint64_t two = run.append_stats({{"update", 2}});
  EXPECT_EQ(io::read_file(run.path() / "stats.jsonl"), "{\"update\":1}\n{\"update\":2}\n");
  EXPECT_EQ(one, 13u);
  EXPECT_EQ(two, 26u);
  run.truncate_stats(one);
  EXPECT_EQ(io::read_file(run.path() / "stats.jsonl"), "{\"update\":1}\n");
}

TEST_F(RunDirectoryTest, LostStatsAreCutToWholeLines) {
  EXPECT_EQ(run.truncate_stats(5), 0u);  // no file
  run.append_stats({{"update", 1}});
  io::AppendFile(run.path() / "stats.jsonl").append("{\"upd");
  EXPECT_EQ(run.truncate_stats(100), 13u);
  EXPECT_EQ(io::read_file(run.path() / "stats.jsonl"), "{\"update\":1}\n");
}

TEST_F(RunDirectoryTest, ChangedOptionsAreRefused) {
  std::string text = io::read_file(run.path() / "options.json");
  const std::string lr = "\"lr\": 0.001";
  ASSERT_NE(text.find(lr), std::string::npos) << text;
  io::write_file(run.path() / "options.json",
                 std::string_view(text.replace(text.find(lr), lr.size(), "\"lr\": 0.005")));
  expect_throws<FormatError>({"options.json", "checksum", "damaged or was changed"},
                             [&] { (void)run.options(); });
  // A change by hand is accepted without the checksum.
  nlohmann::json changed = io::read_json(run.path() / "options.json");
  changed.erase("checksum");
  io::write_json(run.path() / "options.json", changed);
  EXPECT_EQ(run.options().update.lr, 0.005);
}

TEST_F(RunDirectoryTest, StateIsReadBackBitForBit) {
  EXPECT_FALSE(run.load_state().has_value());
  const SavedState state = state_at(7);
  StateImage image;
  store(state, image);
  run.states().save(image);
  const SavedState read = run.load_state().value();
  EXPECT_EQ(read.progress.stage, 1);
  EXPECT_EQ(read.progress.update, 3);
  EXPECT_EQ(read.progress.total_updates, 7);
  EXPECT_EQ(read.progress.skipped, 2);
  EXPECT_EQ(read.progress.loss_sum, 0.1);
  EXPECT_EQ(read.progress.loss_count, 4);
  EXPECT_EQ(read.progress.seconds, 1.5);
  EXPECT_EQ(read.progress.stats_bytes, 99u);
  EXPECT_EQ(read.networks.at("student").updates, 3);
  EXPECT_EQ(read.networks.at("student").adam_updates, 1);
  EXPECT_EQ(read.fingerprint, state.fingerprint);
  EXPECT_TRUE(
      at::equal(read.networks.at("student").parameters, state.networks.at("student").parameters));
  EXPECT_TRUE(at::equal(read.networks.at("student").first_moment,
                        state.networks.at("student").first_moment));
  EXPECT_TRUE(at::equal(read.networks.at("student").second_moment,
                        state.networks.at("student").second_moment));
  EXPECT_FALSE(read.networks.at("student").ema.defined());
}

}  // namespace
}  // namespace halfstep
