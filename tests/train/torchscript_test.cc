// Updates, runs and sampling with a TorchScript network: they have the same bits as the same
// network in C++, and agree with the closed form up to rounding.
#include <gtest/gtest.h>

#include <cstring>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/diffusion/weighting.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model_file.h"
#include "tests/nn/torchscript_files.h"
#include "tests/parallel/run_ranks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

namespace fs = std::filesystem;
using test::Recorder;

constexpr int64_t kPoints = 12;

std::vector<uint8_t> bytes_of(const Tensor& numbers) {
  std::vector<uint8_t> bytes(numbers.nbytes());
  std::memcpy(bytes.data(), numbers.const_data_ptr(), bytes.size());
  return bytes;
}

// Returns twelve points of the plane.
std::shared_ptr<data::RawDataset> points() {
  const data::DatasetInfo info{.name = "points", .format = "test", .float32_shape = {2}};
  const data::RawPart numbers{
      .count = kPoints,
      .read_at = data::in_memory(bytes_of(test::random_normal({kPoints, 2}, 9, at::kFloat)))};
  return std::make_shared<data::RawDataset>(info, std::vector{numbers}, data::PixelOrder::planes,
                                            std::vector<int32_t>(), data::DatasetOptions{});
}

class TorchScriptModel : public ::testing::Test {
 protected:
  static Model gaussian_model(const fs::path& path) {
    test::write_torchscript(path, test::gaussian_code());
    return load_torchscript_model(path, {.network = test::gaussian_options()});
  }

  io::TemporaryFolder folder;
  Model teacher = gaussian_model(folder / "net.pt");
};

// For x ~ N(mean, deviation^2), the expected samples are those of DDIM with the optimal denoiser in
// float64.
TEST_F(TorchScriptModel, SamplesMatchTheClosedForm) {
  const Denoiser best = [](const Tensor& z, const Tensor& phi, const Condition&) {
    const Tensor mean = at::tensor({0.5, -0.25}, at::kDouble);
    const Tensor variance = at::tensor({0.75, 1.5}, at::kDouble).square();
    const Tensor c = phi.cos().unsqueeze(1);
    const Tensor n = phi.sin().unsqueeze(1);
    const Tensor u = (z - c * mean) / (variance * c * c + n * n);
    return Prediction{.x = mean + variance * c * u, .eps = n * u};
  };
  const std::vector<uint64_t> seeds = {0, 1, 2, 3, 4};
  const Tensor noise = noise_of_seeds(teacher.spec(), seeds);
  EXPECT_EQ(noise.sizes(), at::IntArrayRef({5, 2}));
  for (const int64_t steps : {1, 4, 16}) {
    const Tensor expected = sample(best, noise.to(at::kDouble), sampling_grid(Schedule(), steps),
                                   {}, {.clip_x = false});
    const Samples samples = generate(teacher, seeds, {.num_steps = steps, .batch = 2});
    EXPECT_EQ(samples.images.scalar_type(), at::kFloat);
    EXPECT_TENSOR_CLOSE(samples.images, expected.to(at::kFloat));
    if (steps == 16) {
      EXPECT_GT(samples.images.abs().max().item<double>(), 1.0) << "samples must not be clipped";
    }
  }
}

TEST_F(TorchScriptModel, SamplesOfImagesAreBytes) {
  test::write_torchscript(folder / "images.pt",
                          {.methods = "def forward(self, z, logsnr): return self.scale * z",
                           .parameters = {{"scale", test::trained(at::full({1}, -1.0F))}}});
  const Model model = load_torchscript_model(
      folder / "images.pt",
      {.network = TorchScriptOptions{{.shape = {3, 4, 6}, .out_channels = 3, .images = true}}});
  const Samples samples = generate(model, {1, 2}, {.num_steps = 2});
  EXPECT_EQ(samples.images.scalar_type(), at::kByte);
  EXPECT_EQ(samples.images.sizes(), at::IntArrayRef({2, 3, 4, 6}));
}

// The target, the gradients and the weights of one update of a student.
struct Outcomes {
  UpdateReport report;
  Prediction target;
  std::vector<Tensor> gradients;  // of the first loss
  std::vector<Tensor> weights;    // after an update
};

Outcomes distil_once(const Network& teacher) {
  const std::unique_ptr<Network> student = teacher.clone();
  ParameterEditor(*student).parameters()[0].tensor.add_(0.5);
  data::ExampleBatch batch{
      .update = 1, .batch_size = kPoints, .count = kPoints, .dtype = io::DType::f32};
  batch.bytes = bytes_of(test::random_normal({kPoints, 2}, 9, at::kFloat));
  batch.labels.resize(kPoints, -1);
  const BatchPlan plan{.shape = {2}, .seed = 3};
  Regression method(
      *student, make_objective(FromTeacher{.num_steps = 4}, {}, make_denoiser(teacher, Output::v)),
      {.batch = plan, .optimizer = {.grad_clip = 0.0}});
  const Objective& objective = method.objective();
  Outcomes outcomes;
  const Batch diffused = diffuse_examples(batch, 0, kPoints, draws_of(objective), plan, at::kCPU);
  outcomes.target = objective.target(diffused);
  const Tensor raw = student->forward(diffused.z, diffused.angles.phi_t, {});
  objective.loss(raw, outcomes.target, diffused).sum().backward();
  for (const NamedTensor& parameter : student->parameters()) {
    outcomes.gradients.push_back(parameter.tensor.grad().clone());
    parameter.tensor.grad().zero_();
  }
  outcomes.report = method.update(batch, 1e-3);
  for (const NamedTensor& parameter : student->parameters())
    outcomes.weights.push_back(parameter.tensor.detach().clone());
  return outcomes;
}

TEST_F(TorchScriptModel, UpdateEqualsThatOfTheCppNetwork) {
  const Outcomes script = distil_once(teacher.network());
  const Outcomes native = distil_once(test::GaussianNetwork());
  EXPECT_TRUE(at::equal(script.target.x, native.target.x));
  EXPECT_TRUE(at::equal(script.target.eps, native.target.eps));
  EXPECT_GT(native.report.loss, 0.0);
  EXPECT_EQ(script.report.loss, native.report.loss);
  EXPECT_EQ(script.report.grad_norm, native.report.grad_norm);
  ASSERT_EQ(script.gradients.size(), native.gradients.size());
  for (size_t i = 0; i < script.gradients.size(); ++i) {
    EXPECT_TRUE(at::equal(script.gradients[i], native.gradients[i]));
    EXPECT_TRUE(at::equal(script.weights[i], native.weights[i]));
  }
}

// TorchScript code may view a convolution kernel as a matrix, which needs its contiguous layout.
TEST_F(TorchScriptModel, ParametersKeepTheirLayoutInTheOptimizer) {
  test::write_torchscript(folder / "net.pt",
                          {.methods = R"(
def forward(self, z, logsnr):
    return torch.conv2d(z, self.kernel / self.kernel.view(2, -1).norm(), padding=1)
)",
                           .parameters = {{"kernel", test::trained(test::random_normal(
                                                         {2, 2, 3, 3}, 4, at::kFloat))}}});
  const Model model = load_torchscript_model(
      folder / "net.pt", {.network = TorchScriptOptions{{.shape = {2, 5, 5}, .out_channels = 2}}});
  const Tensor z = test::random_normal({3, 2, 5, 5}, 6, at::kFloat);
  const Tensor phi = test::float64_vector({0.1, 0.5, 1.5});
  const std::unique_ptr<Network> network = model.network().clone();
  const Tensor before = network->forward(z, phi, {});
  const Optimizer optimizer(*network, {});
  EXPECT_TRUE(at::equal(network->forward(z, phi, {}), before));
}

class TorchScriptRunTest : public TorchScriptModel {
 protected:
  // 8 -> 4 -> 2 steps.
  static RunOptions options() {
    RunOptions options = test::small_distillation();
    options.data = "points.npy";
    options.model = {.network = test::gaussian_options()};
    options.update.label_dropout = 0.0;
    options.update.random_flip = false;
    options.update.precision = PrecisionChoice::automatic;
    return options;
  }
  RunDirectory start(const std::string& name, const RunOptions& options) const {
    const RunDirectory directory = RunDirectory::create(folder.path() / name, options);
    teacher.save(directory.teacher_path());
    test::record_models(directory);
    return directory;
  }
};

TEST_F(TorchScriptRunTest, WritesOneModelPerStage) {
  const RunDirectory directory = start("runs", options());
  Recorder recorder;
  EXPECT_EQ(test::run(directory, recorder, points()), Outcome::finished);
  EXPECT_EQ(directory.teacher_path().filename(), "teacher.pt");
  for (const int64_t steps : {4, 2}) {
    const fs::path file = directory.path() / ("stage-000" + std::to_string(steps)) / "model.pt";
    EXPECT_EQ(model_file_at(file.parent_path()), file);
    const Model student = Model::load(file);
    EXPECT_EQ(student.spec().sampling.num_steps, steps);
    EXPECT_EQ(student.network().parameters().size(), 2u);
    EXPECT_FALSE(at::equal(student.network().parameters()[0].tensor,
                           teacher.network().parameters()[0].tensor));
  }
}

TEST_F(TorchScriptRunTest, TeacherIsConverted) {
  RunOptions options = TorchScriptRunTest::options();
  options.model.output = Output::x;
  options.distill.student_output = Output::x;
  options.distill.convert_updates = 2;
  const RunDirectory directory = start("runs", options);
  Recorder recorder;
  EXPECT_EQ(test::run(directory, recorder, points()), Outcome::finished);
  EXPECT_EQ(recorder.finished_steps, (std::vector<int64_t>{0, 4, 2}));
  EXPECT_EQ(Model::load(directory.path() / "converted").spec().output, Output::x);
  EXPECT_TRUE(fs::exists(directory.path() / "converted" / "model.pt"));
}

TEST_F(TorchScriptRunTest, KilledAndInterruptedRunsEndWithTheSameBits) {
  const RunDirectory whole = start("whole", options());
  Recorder recorder;
  test::run(whole, recorder, points());
  for (const size_t updates : {3, 4, 7}) {
    SCOPED_TRACE(updates);
    const RunDirectory parts = start("parts", options());
    Recorder killed;
    killed.kill_at = updates;
    ASSERT_THROW(test::run(parts, killed, points()), test::Killed);
    Recorder interrupted;
    interrupted.stop_at = 1;
    ASSERT_EQ(test::run(parts, interrupted, points()), Outcome::interrupted);
    Recorder resumed;
    ASSERT_EQ(test::run(parts, resumed, points()), Outcome::finished);
    EXPECT_FALSE(resumed.received("not bit-exact"));
    test::expect_same_end(parts, whole);
  }
}

TEST_F(TorchScriptRunTest, TwoProcessesEndAsOneWithTwoMicrobatches) {
  REQUIRE_GLOO();
  RunOptions halves = options();
  halves.update.microbatch = halves.update.batch / 2;
  const RunDirectory alone = start("alone", halves);
  Recorder recorder;
  test::run(alone, recorder, points());
  const RunDirectory both = start("both", options());
  EXPECT_EQ(test::run_by(2, both, points()), std::vector<std::string>(2));
  test::expect_same_end(both, alone);
}

TEST(TorchScriptRun, RejectsBf16AndOtherData) {
  RunOptions options = test::small_distillation();
  options.model = {.network = test::gaussian_options()};
  options.update.label_dropout = 0.0;
  EXPECT_NO_THROW(validate(options));
  options.update.precision = PrecisionChoice::bf16;
  test::expect_throws<ConfigError>({"precision", "auto or fp32", "bf16"},
                                   [&] { validate(options); });
  EXPECT_NO_THROW(require_data(options, *points()));
  test::expect_throws<ConfigError>({"data", "[2]", "[1, 8, 8]"},
                                   [&] { require_data(options, *test::small_dataset()); });
}

TEST(TorchScriptRun, CannotBeTrainedFromFreshWeights) {
  Config config;
  config.model.network = test::gaussian_options();
  test::expect_throws<ConfigError>({"torchscript", "which is code"},
                                   [&] { plan_training(config, *test::small_dataset()); });
  test::expect_throws<ConfigError>({"data", "images", "points"},
                                   [&] { plan_training(Config(), *points()); });
}

TEST(TorchScriptRun, DataOtherThanImagesIsNotFlipped) {
  Config config;
  config.distill = {.start_steps = 8, .end_steps = 4};
  const RunOptions options =
      plan_distillation(config.distill, config.distill_update,
                        {.network = test::gaussian_options()}, "hash", *points());
  EXPECT_TRUE(config.distill_update.random_flip);
  EXPECT_FALSE(options.update.random_flip);
}

}  // namespace
}  // namespace halfstep
