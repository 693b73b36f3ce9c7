#include "halfstep/train/run.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "halfstep/checkpoint/run_lock.h"
#include "halfstep/core/error.h"
#include "halfstep/data/loader.h"
#include "halfstep/io/file.h"
#include "halfstep/io/system_calls.h"
#include "halfstep/model/model_file.h"
#include "halfstep/report/stage_grid.h"
#include "halfstep/train/update.h"
#include "tests/io/full_disk.h"
#include "tests/model/small_models.h"
#include "tests/nn/small_networks.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;

std::set<std::string> names_in(const fs::path& folder) {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) {
    names.insert(entry.path().filename().string());
  }
  return names;
}

class RunTest : public ::testing::Test {
 protected:
  io::TemporaryFolder folder;
  Recorder recorder;
};

TEST_F(RunTest, TrainingLeavesAModelAndItsFolder) {
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
  EXPECT_TRUE(recorder.was_told("training done after 8 updates"));
  EXPECT_NE(io::read_file(directory.path() / "log.txt").find("training done"), std::string::npos);
}

TEST_F(RunTest, ModelIsTheAverageNotTheLastWeights) {
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

TEST_F(RunTest, DistillationLeavesAModelForEveryHalving) {
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

TEST_F(RunTest, StatsHaveALineEveryLogEveryAndAtEachEnd) {
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

TEST_F(RunTest, StatsHaveTheMeanLossSinceTheLineBefore) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_training());
  test::run(directory, recorder);
  const std::vector<nlohmann::json> lines = test::stats_of(directory);
  ASSERT_EQ(lines.size(), 4u);
  for (size_t i = 0; i < lines.size(); ++i) {
    const double mean = (recorder.records[2 * i].loss + recorder.records[2 * i + 1].loss) / 2.0;
    EXPECT_EQ(lines[i].at("loss").get<double>(), mean);
  }
}

TEST_F(RunTest, ObserverIsToldOfEveryUpdate) {
  const RunDirectory directory = test::start_run(folder.path(), test::small_distillation());
  test::run(directory, recorder);
  ASSERT_EQ(recorder.records.size(), 10u);
  const UpdateRecord& fifth = recorder.records[4];
  EXPECT_EQ(fifth.stage, 1);
  EXPECT_EQ(fifth.num_stages, 2);
  EXPECT_EQ(fifth.num_steps, 2);
  EXPECT_EQ(fifth.update, 1);
  EXPECT_EQ(fifth.updates, 6);
  EXPECT_EQ(fifth.lr, 1e-3);  // the rate starts again with each stage
  EXPECT_GT(fifth.images_per_second, 0.0);
  EXPECT_GT(fifth.seconds_left, 0.0);
  EXPECT_EQ(recorder.records.back().seconds_left, 0.0);
  EXPECT_LT(recorder.records.back().lr, 0.2e-3);  // annealed
}

TEST_F(RunTest, PicturesComeFromTheObserverOnly) {
  class Drawing final : public Recorder {
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

// A student that starts as its teacher is as good as it gets at once where two teacher steps are
// one: with a rate of (nearly) 0 the model of a stage is the teacher.
TEST_F(RunTest, StudentStartsAsItsTeacher) {
  RunOptions options = test::small_distillation();
  options.update.lr = 1e-30;
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::run(directory, recorder);
  EXPECT_TRUE(test::same_parameters(*load_network(directory.path() / "stage-0002"),
                                    test::small_teacher().network()));
}

TEST_F(RunTest, TrainingStartsFromTheModelItIsGiven) {
  RunOptions options = test::small_training();
  options.update.lr = 1e-30;
  const Model init = test::small_teacher();
  start_from(options, init.spec(), "hash");
  const RunDirectory directory = test::start_run(folder.path(), options);
  init.save(directory.init_path());
  test::run(directory, recorder);
  const Model trained = Model::load(directory.path());
  EXPECT_TRUE(test::same_parameters(trained.network(), init.network()));
  EXPECT_EQ(trained.spec().origin.init_sha256, "hash");
}

TEST_F(RunTest, RefinementIsOneStageThatStartsFromTheStudentItIsGiven) {
  RunOptions options = test::small_refinement();
  options.update.lr = 1e-30;
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::run(directory, recorder);
  EXPECT_EQ(recorder.finished_steps, std::vector<int64_t>{2});
  EXPECT_EQ(recorder.records.front().teacher_steps, 8);
  EXPECT_EQ(recorder.records.front().updates, 6);
  const Model refined = Model::load(directory.path() / "stage-0002");
  EXPECT_TRUE(test::same_parameters(refined.network(), test::small_init().network()));
  EXPECT_EQ(refined.spec().sampling.num_steps, 2);
}

// The first loss is that of the given student's step against four of the teacher's.
TEST_F(RunTest, RefinementIsTowardsAllStepsOfTheTeacher) {
  const RunOptions options = test::small_refinement();
  const RunDirectory directory = test::start_run(folder.path(), options);
  recorder.stop_at = 1;
  test::run(directory, recorder);

  const Model teacher = test::small_teacher();
  const Model init = test::small_init();
  const data::ExampleBatch images = load_batch(*test::small_dataset(),
                                             {.seed = options.update.seed,
                                              .batch_size = options.update.batch,
                                              .random_flip = options.update.random_flip},
                                             0);
  const ObjectiveOptions objective = FromTeacher{.num_steps = 2, .substeps = 4};
  Regression method(init.network(),
                    make_objective(objective, student_output(options.model, options.update),
                                   make_denoiser(teacher.network(), teacher.spec().output)),
                    regression_options(options.model, options.update, objective));
  EXPECT_EQ(recorder.records.front().loss, method.update(images, options.update.lr).loss);
}

TEST_F(RunTest, RefinementBySeveralProcessesEndsAsThatByOne) {
  REQUIRE_GLOO();
  RunOptions options = test::small_refinement();
  options.update.microbatch = options.update.batch / 2;
  const RunDirectory one = test::start_run(folder.path() / "one", options);
  test::run(one, recorder);
  options.update.microbatch = 0;
  const RunDirectory two = test::start_run(folder.path() / "two", options);
  EXPECT_EQ(test::run_by(2, two), std::vector<std::string>(2));
  EXPECT_TRUE(test::same_parameters(*load_network(one.path() / "stage-0002"),
                                    *load_network(two.path() / "stage-0002")));
}

TEST_F(RunTest, ConversionIsTrainingFromTheTeachersWeights) {
  const RunOptions options = test::small_conversion();
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::run(directory, recorder);
  EXPECT_EQ(recorder.finished_steps, (std::vector<int64_t>{0, 4, 2}));
  EXPECT_EQ(recorder.records.front().num_steps, 0);
  const Model converted = Model::load(directory.path() / "converted");
  EXPECT_EQ(converted.spec().output, Output::v);
  EXPECT_EQ(converted.spec().sampling.num_steps, 0);
  EXPECT_EQ(converted.spec().origin.updates, 3);

  RunOptions training = options;
  training.kind = RunKind::train;
  training.train.updates = 3;
  training.init_sha256 = "hash";
  const RunDirectory trained = test::start_run(folder.path(), training);
  test::small_teacher().save(trained.init_path());
  Recorder other;
  test::run(trained, other);
  EXPECT_TRUE(test::same_parameters(converted.network(), *load_network(trained.path())));
}

TEST_F(RunTest, HalvingsBeginWithTheConvertedTeacher) {
  RunOptions options = test::small_conversion();
  const RunDirectory directory = test::start_run(folder.path(), options);
  recorder.stop_at = 3;
  test::run(directory, recorder);
  const Model other = test::with_parameter(test::small_teacher(), "conv_out.bias",
                                           [](Tensor bias) { bias.fill_(0.5); });
  other.save(directory.path() / "converted" / "model.safetensors");
  options.update.lr = 1e-30;
  directory.write_options(options);
  Recorder resumed;
  test::run(directory, resumed);
  EXPECT_TRUE(
      test::same_parameters(*load_network(directory.path() / "stage-0002"), other.network()));
}

TEST_F(RunTest, StudentsThatPredictEpsAreWarnedOf) {
  RunOptions options = test::small_distillation();
  options.model.output = Output::eps;
  test::run(test::start_run(folder.path(), options), recorder);
  EXPECT_TRUE(recorder.was_told("--student-output v"));
  Recorder of_v;
  test::run(test::start_run(folder.path(), test::small_distillation()), of_v);
  EXPECT_FALSE(of_v.was_told("--student-output"));
}

TEST(StartFrom, RefusesAnotherNetworkOrOutput) {
  RunOptions options = test::small_training();
  ModelSpec wider = options.model;
  test::unet(wider).ch *= 2;
  test::expect_throws<ConfigError>({"init", "ch", "as in the configuration"},
                                   [&] { start_from(options, wider, "hash"); });
  ModelSpec other = options.model;
  other.output = Output::eps;
  test::expect_throws<ConfigError>({"init", "output", "eps"},
                                   [&] { start_from(options, other, "hash"); });
  EXPECT_FALSE(options.init_sha256.has_value());
  RunOptions distillation = test::small_distillation();
  test::expect_throws<ConfigError>({"init", "ch", "as the teacher's"},
                                   [&] { start_from(distillation, wider, "hash"); });
}

// Its labels say 1 from the given read on. For one loading thread.
class TurningDataset final : public data::Dataset {
 public:
  explicit TurningDataset(int64_t from) : from_(from) {}
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

// A teacher that knows class 0 only: of class 1 it says nothing finite.
void break_class_one(const RunDirectory& directory) {
  test::with_parameter(test::small_teacher(), "class_emb.weight", [](const Tensor& weight) {
    weight.select(1, 1).fill_(3e38);
  }).save(directory.teacher_path());
}

RunOptions one_image_an_update() {
  RunOptions options = test::small_distillation();
  options.update.batch = 1;
  options.update.label_dropout = 0.0;
  options.update.checkpoint_every = {.count = 1, .unit = 0};
  return options;
}

TEST_F(RunTest, UpdatesThatAreNotFiniteAreSkippedAndCounted) {
  RunOptions options = one_image_an_update();
  options.distill.updates_per_stage = 24;
  options.distill.end_steps = 4;
  const RunDirectory directory = test::start_run(folder.path(), options);
  break_class_one(directory);
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  // two epochs of 12 images, half of them of class 1
  EXPECT_EQ(recorder.records.back().skipped, 12);
  EXPECT_EQ(test::stats_of(directory).back().at("skipped"), 12);
  EXPECT_TRUE(recorder.was_told("not finite"));
  const SavedState state = directory.load_state().value();
  EXPECT_EQ(state.networks.at("student").updates, 24);
  EXPECT_EQ(state.networks.at("student").adam_updates, 12);
  EXPECT_NO_THROW(Model::load(directory.path() / "stage-0004"));  // all finite
}

TEST_F(RunTest, ManySkippedInARowEndTheRunWithTheStateBeforeThem) {
  RunOptions options = one_image_an_update();
  options.distill.updates_per_stage = 100;
  const RunDirectory directory = test::start_run(folder.path(), options);
  break_class_one(directory);
  test::expect_throws<Error>({"20 updates", "not finite", "learning rate"}, [&] {
    test::run(directory, recorder, std::make_shared<TurningDataset>(3));
  });
  const SavedState state = directory.load_state().value();
  EXPECT_EQ(state.progress.total_updates, 3);
  EXPECT_EQ(state.progress.update, 3);
  EXPECT_EQ(state.progress.skipped, 0);
  EXPECT_EQ(state.networks.at("student").updates, 3);
  EXPECT_EQ(state.networks.at("student").adam_updates, 3);
  EXPECT_TRUE(state.networks.at("student").parameters.isfinite().all().item<bool>());
  // with good data again it goes on from there
  Recorder resumed;
  resumed.stop_at = 2;
  EXPECT_EQ(test::run(directory, resumed, std::make_shared<TurningDataset>(1000)),
            Outcome::interrupted);
  EXPECT_EQ(resumed.records.front().update, 4);
  EXPECT_EQ(resumed.records.front().skipped, 0);
}

TEST_F(RunTest, FewerThanManyInARowAreNoReasonToStop) {
  RunOptions options = one_image_an_update();
  options.distill.updates_per_stage = 3 + kMaxSkipped - 1;
  options.distill.end_steps = 4;
  const RunDirectory directory = test::start_run(folder.path(), options);
  break_class_one(directory);
  EXPECT_EQ(test::run(directory, recorder, std::make_shared<TurningDataset>(3)), Outcome::finished);
  EXPECT_EQ(recorder.records.back().skipped, kMaxSkipped - 1);
  EXPECT_TRUE(test::stats_of(directory).back().at("loss").is_null());
}

// A rate that destroys the student: worse than the teacher as which it began.
RunOptions diverging() {
  RunOptions options = test::small_distillation();
  options.update.lr = 1.0;
  options.update.anneal = false;
  options.update.grad_clip = 0.0;
  return options;
}

TEST_F(RunTest, StageThatMadeItsStudentWorseIsWarnedOf) {
  const RunDirectory directory = test::start_run(folder.path(), diverging());
  EXPECT_EQ(test::run(directory, recorder), Outcome::finished);
  EXPECT_TRUE(recorder.was_told("stage 4 steps diverged: its student's loss is"));
  EXPECT_EQ(recorder.finished_steps, (std::vector<int64_t>{4, 2}));
  RunOptions still = test::small_distillation();
  still.update.lr = 1e-30;
  Recorder well;
  test::run(test::start_run(folder.path(), still), well);
  EXPECT_FALSE(well.was_told("diverged"));
  // what counts is what the student began as, not what the teacher says in one step
  start_from(still, test::small_init().spec(), "hash");
  Recorder refined;
  test::run(test::start_run(folder.path(), still), refined);
  EXPECT_FALSE(refined.was_told("diverged"));
}

TEST_F(RunTest, StageThatDivergedStopsTheRunIfAskedAndResumeGoesOn) {
  RunOptions options = diverging();
  options.distill.on_divergence = OnDivergence::stop;
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::expect_throws<Error>({"stage 4 steps diverged", "saved", "resume goes on"},
                             [&] { test::run(directory, recorder); });
  EXPECT_EQ(recorder.finished_steps, std::vector<int64_t>{4});
  EXPECT_EQ(directory.load_state()->progress.stage, 1);
  Recorder resumed;
  resumed.stop_at = 1;
  EXPECT_EQ(test::run(directory, resumed), Outcome::interrupted);
  EXPECT_EQ(resumed.records.front().stage, 1);
}

TEST_F(RunTest, StageThatDivergedStopsEveryProcess) {
  REQUIRE_GLOO();
  RunOptions options = diverging();
  options.distill.on_divergence = OnDivergence::stop;
  const RunDirectory directory = test::start_run(folder.path(), options);
  for (const std::string& failure : test::run_by(2, directory))
    EXPECT_NE(failure.find("stage 4 steps diverged"), std::string::npos) << failure;
  EXPECT_EQ(directory.load_state()->progress.stage, 1);
}

// Weights that went wrong while the run lay still: its losses jump against those that it had
// before.
TEST_F(RunTest, SpikesAreToldOnceAndCountedAlsoAfterAResume) {
  RunOptions options = test::small_training();
  options.update.lr = 1e-30;
  options.train.updates = 70;
  const RunDirectory directory = test::start_run(folder.path(), options);
  recorder.stop_at = 61;
  EXPECT_EQ(test::run(directory, recorder), Outcome::interrupted);
  EXPECT_FALSE(recorder.was_told("spike"));
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
                                    return message.find("the loss is a spike") != std::string::npos;
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

TEST_F(RunTest, RunThatTheDiskCannotHoldIsNotBegun) {
  io::FullDisk full;
  const RunDirectory directory = test::start_run(folder.path(), test::small_distillation());
  const io::ReplacedSystemCalls replaced(full);
  test::expect_throws<IoError>({"free for the states and models of this run", "received 0.0 MiB"},
                               [&] { test::run(directory, recorder); });
  EXPECT_TRUE(recorder.records.empty());
}

// It is written by another thread: the error must come out here.
TEST_F(RunTest, StateThatCannotBeWrittenEndsTheRunAndTheOneBeforeStays) {
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

TEST_F(RunTest, TeacherThatIsNotThereIsSaid) {
  const RunDirectory directory = RunDirectory::create(folder.path(), test::small_distillation());
  test::expect_throws<IoError>({"teacher.safetensors"}, [&] { test::run(directory, recorder); });
}

}  // namespace
}  // namespace halfstep
