// A run that was interrupted and resumed ends with the same bits as an uninterrupted one.
#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;

struct Case {
  std::string name;
  RunOptions (*options)();
  std::vector<size_t> updates;  // made before each interruption
};

// small_training() uses EMA, dropout, label dropout and warm-up.
std::vector<Case> cases() {
  return {{"TrainingAtASavedState", test::small_training, {4}},
          {"TrainingBetweenSavedStates", test::small_training, {3}},
          {"TrainingAtTheFirstUpdate", test::small_training, {1}},
          {"TrainingTwice", test::small_training, {3, 2}},
          {"DistillationInTheFirstStage", test::small_distillation, {3}},
          {"DistillationAtTheStagesEnd", test::small_distillation, {4}},
          {"DistillationInTheSecondStage", test::small_distillation, {7}},
          {"DistillationInBothStages", test::small_distillation, {1, 4}},
          {"ConversionBeforeItsEnd", test::small_conversion, {2}},
          {"ConversionAtItsEnd", test::small_conversion, {3}},
          {"ConversionInTheHalvingAfterIt", test::small_conversion, {5}},
          {"GuidanceBeforeItsEnd", test::small_guidance, {2}},
          {"GuidanceInTheHalvingAfterIt", test::small_guidance, {5}},
          {"GuidanceAsAnInputTwice", test::small_guidance_range, {1, 3}},
          {"RefinementAtTheFirstUpdate", test::small_refinement, {1}},
          {"RefinementTwice", test::small_refinement, {3, 2}},
          {"MatchingOfTheAuxiliaryAlone", test::small_matching, {11}},
          {"MatchingOfBothTwice", test::small_matching, {21, 2}},
          {"MatchingAfterHalvings", test::small_chain, {32}},
          {"InpaintingTwice", test::small_inpainting, {3, 2}},
          {"InpaintingInBothMethods", test::small_inpainting_chain, {3, 29}}};
}

class ResumeTest : public ::testing::TestWithParam<Case> {
 protected:
  RunDirectory uninterrupted() const {
    const RunDirectory directory = test::start_run(folder.path() / "whole", GetParam().options());
    Recorder recorder;
    EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
    return directory;
  }
  io::TemporaryFolder folder;
};

TEST_P(ResumeTest, InterruptedRunEndsWithTheSameBits) {
  const RunDirectory directory = test::start_run(folder.path() / "parts", GetParam().options());
  size_t done = 0;
  for (const size_t updates : GetParam().updates) {
    Recorder recorder;
    recorder.stop_at = updates;
    ASSERT_EQ(test::run(directory, recorder), Outcome::interrupted);
    ASSERT_EQ(recorder.records.size(), updates);
    EXPECT_TRUE(recorder.received("the state is saved"));
    done += updates;
    EXPECT_EQ(directory.load_state()->progress.total_updates, static_cast<int64_t>(done));
  }
  Recorder recorder;
  ASSERT_EQ(test::run(directory, recorder), Outcome::finished);
  EXPECT_TRUE(recorder.received("resumed at update " + std::to_string(done)));
  EXPECT_FALSE(recorder.received("not bit-exact"));
  test::expect_same_end(directory, uninterrupted());
}

// A killed run saves no state at the end: the disk holds the last state of checkpoint_every.
TEST_P(ResumeTest, KilledRunEndsWithTheSameBits) {
  const RunDirectory directory = test::start_run(folder.path() / "parts", GetParam().options());
  for (const size_t updates : GetParam().updates) {
    Recorder recorder;
    recorder.kill_at = updates;
    ASSERT_THROW(test::run(directory, recorder), test::Killed);
  }
  Recorder recorder;
  ASSERT_EQ(test::run(directory, recorder), Outcome::finished);
  test::expect_same_end(directory, uninterrupted());
}

INSTANTIATE_TEST_SUITE_P(Cases, ResumeTest, ::testing::ValuesIn(cases()),
                         [](const auto& info) { return info.param.name; });

class ResumeDamagedTest : public ::testing::Test {
 protected:
  void interrupt_at(size_t updates) const {
    Recorder recorder;
    recorder.stop_at = updates;
    ASSERT_EQ(test::run(directory, recorder), Outcome::interrupted);
  }
  // Truncates the tensors of the state with this many updates.
  void damage_state_of(int64_t total_updates) const {
    for (const char* slot : {"slot-0", "slot-1"}) {
      const fs::path path = directory.path() / "state" / slot;
      const auto manifest = nlohmann::json::parse(io::read_file(path / "manifest.json"));
      if (manifest.at("total_updates") != total_updates) continue;
      const std::string contents = io::read_file(path / "tensors.safetensors");
      io::write_file(path / "tensors.safetensors", contents.substr(0, contents.size() / 2));
      return;
    }
    FAIL() << "no state of " << total_updates << " updates";
  }

  io::TemporaryFolder folder;
  RunDirectory directory = test::start_run(folder.path(), test::small_training());
};

TEST_F(ResumeDamagedTest, OlderStateReplacesADamagedOne) {
  interrupt_at(5);  // states of 4 and of 5 updates
  damage_state_of(5);
  Recorder recorder;
  ASSERT_EQ(test::run(directory, recorder), Outcome::finished);
  EXPECT_EQ(recorder.records.front().update, 5);  // repeated
  const RunDirectory whole = test::start_run(folder.path(), test::small_training());
  Recorder other;
  test::run(whole, other);
  test::expect_same_end(directory, whole);
}

TEST_F(ResumeDamagedTest, WithoutAWholeStateResumeFailsAndChangesNothing) {
  interrupt_at(5);
  damage_state_of(4);
  damage_state_of(5);
  const std::string stats = io::read_file(directory.path() / "stats.jsonl");
  Recorder recorder;
  test::expect_throws<FormatError>({directory.path().string(), "slot-0", "slot-1"},
                                   [&] { test::run(directory, recorder); });
  EXPECT_EQ(io::read_file(directory.path() / "stats.jsonl"), stats);
}

TEST_F(ResumeDamagedTest, DamagedStatisticsAreReportedAndCostNothing) {
  interrupt_at(5);
  const fs::path stats = directory.path() / "stats.jsonl";
  std::string changed = io::read_file(stats);
  changed[changed.size() / 2] = static_cast<char>(changed[changed.size() / 2] ^ 1);
  io::write_file(stats, changed);
  Recorder recorder;
  recorder.stop_at = 1;
  ASSERT_EQ(test::run(directory, recorder), Outcome::interrupted);
  EXPECT_TRUE(recorder.received("the statistics are damaged, the state is not"));
  EXPECT_TRUE(recorder.received("resumed at update 5"));
  fs::remove(stats);
  Recorder last;
  ASSERT_EQ(test::run(directory, last), Outcome::finished);
  EXPECT_TRUE(last.received("no file"));
  EXPECT_EQ(test::stats_of(directory).size(), 1u);  // of update 8
}

TEST_F(ResumeDamagedTest, ModelsThatAreNotTheRecordedOnesAreRefused) {
  RunOptions options = test::small_conversion();
  const RunDirectory run = test::start_run(folder.path() / "distill", options);
  Recorder begun;
  begun.stop_at = 9;  // in the second distillation stage
  ASSERT_EQ(test::run(run, begun), Outcome::interrupted);
  for (const char* file :
       {"teacher.safetensors", "converted/model.safetensors", "stage-0004/model.safetensors"}) {
    const std::string whole = io::read_file(run.path() / file);
    std::string changed = whole;
    changed[changed.size() - 100] = static_cast<char>(changed[changed.size() - 100] ^ 4);
    io::write_file(run.path() / file, changed);
    Recorder recorder;
    test::expect_throws<FormatError>({file, "sha256", "damaged or was changed"},
                                     [&] { test::run(run, recorder); });
    io::write_file(run.path() / file, whole);
  }
  Recorder recorder;
  EXPECT_EQ(test::run(run, recorder), Outcome::finished);
}

TEST_F(ResumeDamagedTest, LinesAfterTheStateAreRemoved) {
  Recorder killed;
  killed.kill_at = 7;  // the last state has 6 updates
  EXPECT_THROW(test::run(directory, killed), test::Killed);
  directory.append_stats({{"update", "half a li"}});
  Recorder recorder;
  test::run(directory, recorder);
  EXPECT_EQ(recorder.begins, std::vector<int64_t>{6});
  EXPECT_EQ(test::stats_of(directory).size(), 4u);
}

TEST_F(ResumeDamagedTest, AnotherDataSetIsReportedAsNotBitExact) {
  interrupt_at(3);
  Recorder recorder;
  EXPECT_EQ(test::run(directory, recorder, test::small_dataset(12, 1)), Outcome::finished);
  EXPECT_TRUE(recorder.received("not bit-exact"));
  EXPECT_TRUE(recorder.received("data was"));
}

TEST(ResumeLonger, MoreUpdatesEqualOneLongRun) {
  const io::TemporaryFolder folder;
  const RunDirectory longer = test::start_run(folder.path(), test::small_training());
  Recorder recorder;
  test::run(longer, recorder);
  longer.write_options(with_updates(longer.options(), 14, 8));
  Recorder resumed;
  ASSERT_EQ(test::run(longer, resumed), Outcome::finished);
  EXPECT_EQ(resumed.records.size(), 6u);

  RunOptions options = test::small_training();
  options.train.updates = 14;
  const RunDirectory whole = test::start_run(folder.path(), options);
  Recorder other;
  test::run(whole, other);
  test::expect_same_end(longer, whole);
}

TEST(ResumeLonger, FinishedRunIsUnchanged) {
  const io::TemporaryFolder folder;
  for (const auto& options : {test::small_training(), test::small_distillation()}) {
    const RunDirectory directory = test::start_run(folder.path(), options);
    Recorder recorder;
    test::run(directory, recorder);
    const fs::path model = directory.stage_folder(options.stages().back()) / "model.safetensors";
    const auto before = io::read_bytes(model);
    const auto stats = test::stats_of(directory);
    Recorder again;
    EXPECT_EQ(test::run(directory, again), Outcome::finished);
    EXPECT_TRUE(again.records.empty());
    EXPECT_EQ(recorder.begins, std::vector<int64_t>{0});
    EXPECT_EQ(again.begins, std::vector<int64_t>{static_cast<int64_t>(recorder.records.size())});
    EXPECT_EQ(io::read_bytes(model), before);
    EXPECT_EQ(test::stats_of(directory), stats);
  }
}

}  // namespace
}  // namespace halfstep
