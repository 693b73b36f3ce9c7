// Where a stage starts from: its teacher, an init model (--init), or a converted teacher.
#include <gtest/gtest.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/loader.h"
#include "halfstep/io/hash.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/run.h"
#include "tests/model/small_models.h"
#include "tests/nn/small_networks.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/train/run_fixture.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;
using test::RunTest;

// With a learning rate of nearly 0, the model of a stage is the network that it started from.
TEST_F(RunTest, StudentStartsAsACopyOfItsTeacher) {
  RunOptions options = test::small_distillation();
  options.update.lr = 1e-30;
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::run(directory, recorder);
  EXPECT_TRUE(test::same_parameters(*load_network(directory.path() / "stage-0002"),
                                    test::small_teacher().network()));
}

TEST_F(RunTest, TrainingStartsFromTheInitModel) {
  RunOptions options = test::small_training();
  options.update.lr = 1e-30;
  const Model init = test::small_teacher();
  start_from(options, init.spec(), "hash");
  const RunDirectory directory = test::start_run(folder.path(), options);
  init.save(directory.init_path());
  test::record_models(directory);
  test::run(directory, recorder);
  const Model trained = Model::load(directory.path());
  EXPECT_TRUE(test::same_parameters(trained.network(), init.network()));
  EXPECT_EQ(trained.spec().origin.init_sha256, io::sha256_hex_of_file(directory.init_path()));
}

TEST_F(RunTest, RefinementIsOneStageFromTheInitModel) {
  RunOptions options = test::small_refinement();
  options.update.lr = 1e-30;
  const RunDirectory directory = test::start_run(folder.path(), options);
  test::run(directory, recorder);
  EXPECT_EQ(recorder.finished_steps, std::vector<int64_t>{2});
  EXPECT_EQ(options.stages().front().teacher_steps(), 8);
  EXPECT_EQ(recorder.records.front().updates, 6);
  const Model refined = Model::load(directory.path() / "stage-0002");
  EXPECT_TRUE(test::same_parameters(refined.network(), test::small_init().network()));
  EXPECT_EQ(refined.spec().sampling.num_steps, 2);
}

// The first loss compares one step of the init model with four steps of the teacher.
TEST_F(RunTest, RefinementTargetTakesAllTeacherSteps) {
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
  const std::unique_ptr<Network> student = init.network().clone();
  Regression method(*student,
                    make_objective(objective, student_output(options.model, options.update),
                                   make_denoiser(teacher.network(), teacher.spec().output)),
                    regression_options(options.model, options.update, objective, *student));
  EXPECT_EQ(recorder.records.front().loss, method.update(images, options.update.lr).loss);
}

TEST_F(RunTest, RefinementByTwoProcessesEqualsRefinementByOne) {
  REQUIRE_GLOO();
  test::expect_two_processes_equal_one(folder.path(), test::small_refinement(), "stage-0002");
}

TEST_F(RunTest, ConversionEqualsTrainingFromTheTeachersWeights) {
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
  test::record_models(trained);
  Recorder other;
  test::run(trained, other);
  EXPECT_TRUE(test::same_parameters(converted.network(), *load_network(trained.path())));
}

TEST_F(RunTest, HalvingsStartFromTheConvertedTeacher) {
  RunOptions options = test::small_conversion();
  const RunDirectory directory = test::start_run(folder.path(), options);
  recorder.stop_at = 3;
  test::run(directory, recorder);
  const Model other = test::with_parameter(test::small_teacher(), "conv_out.bias",
                                           [](Tensor bias) { bias.fill_(0.5); });
  other.save(directory.path() / "converted" / "model.safetensors");
  SavedState state = directory.load_state().value();
  state.models.at("converted/model.safetensors") =
      io::sha256_hex_of_file(directory.path() / "converted" / "model.safetensors");
  std::filesystem::remove_all(directory.path() / "state");
  StateImage image;
  store(state, image);
  directory.states().save(image);
  options.update.lr = 1e-30;
  directory.write_options(options);
  test::record_models(directory);
  Recorder resumed;
  test::run(directory, resumed);
  EXPECT_TRUE(
      test::same_parameters(*load_network(directory.path() / "stage-0002"), other.network()));
}

TEST_F(RunTest, StudentsThatPredictEpsCauseAWarning) {
  RunOptions options = test::small_distillation();
  options.model.output = Output::eps;
  test::run(test::start_run(folder.path(), options), recorder);
  EXPECT_TRUE(recorder.received("--student-output v"));
  Recorder of_v;
  test::run(test::start_run(folder.path(), test::small_distillation()), of_v);
  EXPECT_FALSE(of_v.received("--student-output"));
}

TEST(StartFrom, RejectsAnotherNetworkOrOutput) {
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
  distillation.distill.method = DistillMethod::direct;
  test::expect_throws<ConfigError>({"init", "ch", "as the teacher's"},
                                   [&] { start_from(distillation, wider, "hash"); });
}

}  // namespace
}  // namespace halfstep
