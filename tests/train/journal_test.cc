#include "halfstep/train/journal.h"

#include <gtest/gtest.h>

#include "tests/io/temporary_folder.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

class JournalOfARun : public ::testing::Test {
 protected:
  void record(int updates, double seconds) {
    for (int i = 0; i < updates; ++i) {
      ++progress.update;
      ++progress.total_updates;
      progress.seconds += seconds;
      const UpdateReport report{.loss = 1.0};
      journal.count(report, seconds, progress);
      const auto line = journal.line(1e-3, std::nullopt, progress);
      journal.announce(report, 1e-3, progress, line);
    }
  }

  io::TemporaryFolder folder;
  RunOptions options = [] {
    RunOptions training = test::small_training();
    training.train.updates = 1000;
    return training;
  }();
  RunDirectory directory = test::start_run(folder.path(), options);
  test::Recorder recorder;
  std::vector<Stage> stages = options.stages();
  Journal journal{&directory, options, stages, recorder};
  Progress progress;
};

TEST_F(JournalOfARun, RateIsAMeanOverTheLastUpdates) {
  const auto batch = static_cast<double>(options.update.batch);
  record(10, 2.0);
  EXPECT_EQ(recorder.records.back().images_per_second, batch / 2.0);
  record(10, 1.0);
  EXPECT_NEAR(recorder.records.back().images_per_second, batch / 1.5, 1e-12 * batch);
  record(500, 1.0);  // the weight of the first updates is now 0.98^500
  EXPECT_NEAR(recorder.records.back().images_per_second, batch, 1e-3 * batch);
  EXPECT_EQ(recorder.lines.back().images_per_second, recorder.records.back().images_per_second);
  EXPECT_NEAR(recorder.records.back().seconds_left, 480.0, 1.0);
}

TEST_F(JournalOfARun, RateRestartsWithEachStage) {
  record(10, 2.0);
  journal.begin_stage();
  record(1, 0.5);
  EXPECT_EQ(recorder.records.back().images_per_second,
            static_cast<double>(options.update.batch) / 0.5);
}

}  // namespace
}  // namespace halfstep
