// What a run writes to its folder and reports to its observer.
#include "halfstep/train/run.h"

#include <gtest/gtest.h>

#include <array>
#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "halfstep/io/file.h"
#include "halfstep/model/model_file.h"
#include "halfstep/report/stage_grid.h"
#include "tests/model/small_models.h"
#include "tests/train/run_fixture.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;
using test::RunTest;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

TEST_F(RunTest, TrainingWritesModelAndRunFiles) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_training());
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  EXPECT_EQ(names_in(directory.path()),
            (std::set<std::string>{"options.json", "log.txt", "lock", "stats.jsonl",
                                   "model.safetensors", "state"}));
  EXPECT_EQ(names_in(directory.path() / "state"), (std::set<std::string>{"slot-0", "slot-1"}));
  const Model model = Model::load(directory.path());
  EXPECT_EQ(model.spec().sampling.num_steps, 0);
  EXPECT_EQ(model.spec().origin.updates, 8);
  EXPECT_EQ(recorder.folders, std::vector<fs::path>{directory.path()});
  EXPECT_TRUE(recorder.received("stage training finished after 8 updates"));
  EXPECT_NE(io::read_file(directory.path() / "log.txt").find("stage training finished"),
            std::string::npos);
}

TEST_F(RunTest, ModelHoldsTheEmaNotTheLastWeights) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_training());
  test::run(directory, recorder);
  const SavedState state = directory.load_state().value();
  const Tensor saved = test::parameter(*load_network(directory.path()), "conv_in.bias");
  const auto holds = [&](const Tensor& vector) {
    return vector.unfold(0, saved.numel(), 1).eq(saved).all(1).any().item<bool>();
  };
  EXPECT_TRUE(holds(state.networks.at("student").ema));
  EXPECT_FALSE(holds(state.networks.at("student").parameters));
}

TEST_F(RunTest, DistillationWritesOneModelPerStage) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_distillation());
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  EXPECT_EQ(names_in(directory.path()),
            (std::set<std::string>{"options.json", "log.txt", "lock", "stats.jsonl",
                                   "teacher.safetensors", "stage-0004", "stage-0002", "state"}));
  EXPECT_EQ(names_in(directory.path() / "stage-0004"), std::set<std::string>{"model.safetensors"});
  const ModelSpec four = load_spec(directory.path() / "stage-0004");
  const ModelSpec two = load_spec(directory.path() / "stage-0002");
  EXPECT_EQ(four.sampling.num_steps, 4);
  EXPECT_EQ(four.origin.updates, 4);
  EXPECT_EQ(two.sampling.num_steps, 2);
  EXPECT_EQ(two.origin.updates, 6);
  EXPECT_EQ(recorder.finished_steps, (std::vector<int64_t>{4, 2}));
  EXPECT_FALSE(test::same_parameters(*load_network(directory.path() / "stage-0004"),
                                     *load_network(directory.path() / "stage-0002")));
}

TEST_F(RunTest, StatsAreWrittenEveryLogEveryUpdatesAndAtStageEnds) {
  RunOptions options = test::small_distillation();
  options.update.log_every = 3;
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::run(directory, recorder);
  std::vector<std::array<int64_t, 3>> lines;
  for (const nlohmann::json& line : test::stats_of(directory)) {
    lines.push_back({line.at("num_steps"), line.at("update"), line.at("total_updates")});
    EXPECT_GT(line.at("loss").get<double>(), 0.0);
    EXPECT_GT(line.at("grad_norm").get<double>(), 0.0);
    EXPECT_EQ(line.at("skipped"), 0);
  }
  EXPECT_EQ(lines,
            (std::vector<std::array<int64_t, 3>>{{4, 3, 3}, {4, 4, 4}, {2, 3, 7}, {2, 6, 10}}));
}

TEST_F(RunTest, StatsHoldTheMeanLossSinceTheLineBefore) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_training());
  test::run(directory, recorder);
  const std::vector<nlohmann::json> lines = test::stats_of(directory);
  ASSERT_EQ(lines.size(), 4u);
  for (size_t i = 0; i < lines.size(); ++i) {
    const double mean = (recorder.records[2 * i].loss + recorder.records[2 * i + 1].loss) / 2.0;
    EXPECT_EQ(lines[i].at("loss").get<double>(), mean);
  }
}

TEST_F(RunTest, ObserverReceivesEveryUpdate) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_distillation());
  test::run(directory, recorder);
  ASSERT_EQ(recorder.records.size(), 10u);
  const UpdateRecord& fifth = recorder.records[4];
  EXPECT_EQ(fifth.stage, 1);
  EXPECT_EQ(fifth.num_stages, 2);
  EXPECT_EQ(fifth.num_steps, 2);
  EXPECT_EQ(fifth.update, 1);
  EXPECT_EQ(fifth.updates, 6);
  EXPECT_EQ(fifth.lr, 1e-3);  // each stage starts at the full rate
  EXPECT_GT(fifth.images_per_second, 0.0);
  EXPECT_GT(fifth.seconds_left, 0.0);
  EXPECT_EQ(recorder.records.back().seconds_left, 0.0);
  EXPECT_LT(recorder.records.back().lr, 0.2e-3);  // annealed
}

TEST_F(RunTest, SampleGridsAreDrawnByTheObserver) {
  class DrawingRecorder final : public Recorder {
   public:
    void on_stage_end(const fs::path& stage, const Model& model) override {
      report::StageGrid().on_stage_end(stage, model);
    }
  } drawing;
  const RunDirectory directory = test::start_run(folder.path(), test::small_distillation());
  test::run(directory, drawing);
  EXPECT_TRUE(fs::exists(directory.path() / "stage-0004" / "samples.png"));
  EXPECT_TRUE(fs::exists(directory.path() / "stage-0002" / "samples.png"));
}

}  // namespace
}  // namespace halfstep
