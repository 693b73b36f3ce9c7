// Runs that evaluate while they train: the best model is kept, nothing else changes, and resumed
// runs keep the same one.
#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <map>
#include <tuple>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/stage_quality.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;

// Finds a distance that has nothing to do with quality: a function of the weights, so that it is
// the same for the same model. `worse_after`: evaluations after this many are worse.
class FakeEvaluator final : public Evaluator {
 public:
  fs::path features() const override { return "features.pt"; }
  std::string features_sha256() const override { return hash; }
  std::string begin(parallel::ProcessGroup& /*group*/, std::shared_ptr<const data::Dataset> dataset,
                    const ModelSpec& /*spec*/, int64_t num,
                    const c10::Device& /*device*/) override {
    ++begun;
    EXPECT_EQ(num, 7);
    return "fake, " + std::to_string(dataset->info().size) + " images";
  }
  Quality evaluate(const Model& model) override {
    if (fails_at == evaluated + 1) throw IoError("fake", "the evaluation failed");
    ++evaluated;
    steps.push_back(model.spec().sampling.num_steps);
    double sum = 0.0;
    for (const NamedTensor& parameter : model.network().parameters())
      sum += parameter.tensor.abs().sum().item<double>();
    return {.distance_name = "FD-fake",
            .distance = rises ? std::abs(sum) : 1e6 - sum,
            .pixel_mean = 70.0,
            .pixel_deviation = 90.0,
            .data_mean = 70.0,
            .data_deviation = 90.0};
  }

  std::string hash = "hash";
  bool rises = false;  // the distance is that of the other sign
  int64_t fails_at = 0;
  int64_t begun = 0;
  int64_t evaluated = 0;
  std::vector<int64_t> steps;
};

RunOptions evaluating(RunOptions options, int64_t every) {
  options.update.evaluate_every = every;
  options.update.evaluate_num = 7;
  options.features = "features.pt";
  options.features_sha256 = "hash";
  return options;
}

class EvaluationRuns : public testing::Test {
 protected:
  RunDirectory start(const RunOptions& options) const {
    return test::start_run(folder / "runs", options);
  }
  static Outcome run(const RunDirectory& directory, Recorder& recorder, FakeEvaluator& evaluator) {
    parallel::SingleProcess alone;
    return execute(alone, directory, test::small_dataset(), at::kCPU, recorder, recorder.stop,
                   std::nullopt, &evaluator);
  }
  static std::vector<std::byte> model_of(const RunDirectory& directory, const fs::path& folder) {
    return io::read_bytes(directory.path() / folder / "model.safetensors");
  }
  // Returns the evaluations in stats.jsonl as (stage, update, best update, distance).
  static std::vector<std::tuple<int64_t, int64_t, int64_t, double>> evaluations_of(
      const RunDirectory& directory) {
    std::vector<std::tuple<int64_t, int64_t, int64_t, double>> found;
    for (const StatsLine& line : read_stats(directory.path() / "stats.jsonl")) {
      if (line.quality)
        found.emplace_back(line.stage, line.update, line.quality->best_update,
                           line.quality->distance.value());
    }
    return found;
  }

  io::TemporaryFolder folder;
};

TEST_F(EvaluationRuns, CallTheNetworkOncePerSampleAndStep) {
  EXPECT_EQ(evaluation_calls(test::small_distillation()), 0);
  // Updates 3 and 4 of 4 steps; updates 3 and 6 of 2 steps.
  EXPECT_EQ(evaluation_calls(evaluating(test::small_distillation(), 3)), 7 * (2 * 4 + 2 * 2));
  // Updates 3, 6 and 8.
  EXPECT_EQ(evaluation_calls(evaluating(test::small_training(), 3)), 7 * 3 * kEvaluationSteps);
}

// The weights of every update are those of a run without evaluations, whose snapshots show them.
TEST_F(EvaluationRuns, KeepTheBestModelAndChangeNoUpdate) {
  RunOptions plain = test::small_training();  // 8 updates with EMA
  plain.update.snapshot_every = 3;
  const RunDirectory without = start(plain);
  Recorder nobody;
  test::run(without, nobody);
  for (const bool rises : {false, true}) {
    const RunDirectory with = start(evaluating(plain, 3));
    FakeEvaluator evaluator;
    evaluator.rises = rises;
    Recorder recorder;
    ASSERT_EQ(run(with, recorder, evaluator), Outcome::finished);
    EXPECT_EQ(evaluator.begun, 1);
    EXPECT_EQ(evaluator.steps, (std::vector<int64_t>{0, 0, 0})) << "updates 3, 6 and 8";
    for (const char* snapshot : {"snapshot-00000003", "snapshot-00000006"})
      EXPECT_EQ(model_of(with, snapshot), model_of(without, snapshot));
    const auto found = evaluations_of(with);
    ASSERT_EQ(found.size(), 3u);
    const int64_t best = std::get<2>(found.back());
    std::map<int64_t, double> distances;
    for (const auto& [stage, update, so_far, distance] : found) distances[update] = distance;
    for (const auto& [update, distance] : distances) EXPECT_LE(distances.at(best), distance);
    const std::string kept = best == 8 ? "" : "snapshot-0000000" + std::to_string(best);
    const Model model = Model::load(with.path());
    const Model expected = Model::load((best == 8 ? without : with).path() / kept);
    for (size_t i = 0; i < model.network().parameters().size(); ++i) {
      EXPECT_TRUE(
          model.network().parameters()[i].tensor.equal(expected.network().parameters()[i].tensor));
    }
    EXPECT_EQ(load_spec(with.path()).origin.updates, 8) << "of the stage";
    EXPECT_EQ(recorder.received("of which the best, update " + std::to_string(best)), best != 8);
  }
}

TEST_F(EvaluationRuns, TheNextStageLearnsFromTheKeptModel) {
  const RunDirectory directory = start(evaluating(test::small_distillation(), 1));
  FakeEvaluator evaluator;
  Recorder recorder;
  run(directory, recorder, evaluator);
  EXPECT_EQ(evaluator.steps, (std::vector<int64_t>{4, 4, 4, 4, 2, 2, 2, 2, 2, 2}));
  const auto found = evaluations_of(directory);
  ASSERT_EQ(found.size(), 10u);
  EXPECT_EQ(std::get<0>(found[3]), 0);
  EXPECT_EQ(std::get<0>(found[4]), 1) << "each stage has a best of its own";
  EXPECT_EQ(std::get<2>(found[4]), 1);
  EXPECT_TRUE(recorder.received("evaluation every 1 updates: fake, 12 images"));
  EXPECT_TRUE(recorder.received("8 -> 4 steps, update 1: FD-fake "));
}

struct EvaluationCase {
  std::string name;
  RunOptions (*options)();
  size_t updates;
};

class ResumedEvaluations : public EvaluationRuns,
                           public testing::WithParamInterface<EvaluationCase> {};

TEST_P(ResumedEvaluations, KeepTheSameModel) {
  for (const bool rises : {false, true}) {
    for (const bool killed : {false, true}) {
      const RunOptions options = evaluating(GetParam().options(), 3);
      FakeEvaluator evaluator;
      evaluator.rises = rises;
      const RunDirectory whole = start(options);
      Recorder nobody;
      run(whole, nobody, evaluator);
      const RunDirectory parts = start(options);
      Recorder first;
      (killed ? first.kill_at : first.stop_at) = GetParam().updates;
      if (killed) {
        EXPECT_THROW(run(parts, first, evaluator), test::Killed);
      } else {
        EXPECT_EQ(run(parts, first, evaluator), Outcome::interrupted);
      }
      Recorder second;
      EXPECT_EQ(run(parts, second, evaluator), Outcome::finished);
      test::expect_same_end(parts, whole);
      EXPECT_EQ(evaluations_of(parts), evaluations_of(whole));
      Recorder third;  // the run has ended: its model is written again
      EXPECT_EQ(run(parts, third, evaluator), Outcome::finished);
      test::expect_same_end(parts, whole);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Cases, ResumedEvaluations,
    testing::Values(EvaluationCase{"AtAnEvaluation", test::small_training, 3},
                    EvaluationCase{"BetweenEvaluations", test::small_training, 5},
                    EvaluationCase{"InTheSecondStage", test::small_distillation, 8},
                    EvaluationCase{"AtTheEndOfAStage", test::small_distillation, 4},
                    EvaluationCase{"InMomentMatching", test::small_matching, 23}),
    [](const auto& info) { return info.param.name; });

// The update is saved, and the session that resumes makes its evaluation.
TEST_F(EvaluationRuns, AnEvaluationThatFailsIsMadeByTheNextSession) {
  const RunOptions options = evaluating(test::small_training(), 3);
  FakeEvaluator evaluator;
  const RunDirectory whole = start(options);
  Recorder nobody;
  run(whole, nobody, evaluator);
  const RunDirectory parts = start(options);
  FakeEvaluator failing;
  failing.fails_at = 2;
  Recorder first;
  test::expect_throws<IoError>({"the evaluation failed"}, [&] { run(parts, first, failing); });
  EXPECT_EQ(parts.load_state()->progress.update, 6);
  EXPECT_EQ(parts.load_state()->progress.quality.evaluated, 3);
  failing.fails_at = 0;
  Recorder second;
  EXPECT_EQ(run(parts, second, failing), Outcome::finished);
  EXPECT_EQ(model_of(parts, ""), model_of(whole, ""));
  EXPECT_EQ(evaluations_of(parts), evaluations_of(whole));
  EXPECT_EQ(test::stats_of(parts), test::stats_of(whole));
}

TEST_F(EvaluationRuns, AllProcessesTakePart) {
  REQUIRE_GLOO();
  const RunOptions options = evaluating(test::small_training(), 3);
  const RunDirectory directory = start(options);
  std::array<FakeEvaluator, 2> evaluators;
  test::run_ranks(2, [&](parallel::ProcessGroup& group) {
    const std::atomic<bool> stop = false;
    FakeEvaluator& mine = evaluators.at(static_cast<size_t>(group.rank()));
    TrainObserver observer;
    if (group.is_rank_zero()) {
      execute(group, directory, test::small_dataset(), at::kCPU, observer, stop, std::nullopt,
              &mine);
    } else {
      take_part(group, options, test::small_dataset(), at::kCPU, stop, &mine);
    }
  });
  EXPECT_EQ(evaluators[0].evaluated, 3);
  EXPECT_EQ(evaluators[1].evaluated, 3);
  EXPECT_EQ(evaluations_of(directory).size(), 3u);
}

TEST_F(EvaluationRuns, NeedTheirEvaluator) {
  RunOptions options = evaluating(test::small_training(), 3);
  FakeEvaluator evaluator;
  test::expect_throws<ConfigError>(
      {"features: expected the file of a feature network, because evaluate_every is 3"},
      [&] { require_evaluator(options, nullptr); });
  require_same_features(options, &evaluator);
  evaluator.hash = "other";
  test::expect_throws<FormatError>({"features.pt", "hash", "other"},
                                   [&] { require_same_features(options, &evaluator); });
  options.update.evaluate_every = 0;
  test::expect_throws<ConfigError>({"evaluate_every: expected 1 or more, because"},
                                   [&] { record_features(options, &evaluator); });
}

}  // namespace
}  // namespace halfstep
