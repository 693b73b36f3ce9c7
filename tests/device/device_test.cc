// Everything that computes gives on another device what it gives on the CPU: networks, samplers,
// runs, resumed runs, evaluations. The device is one without hardware (fake_device.h), on which
// code that takes device memory for host memory fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/data/loader.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/metrics/run_evaluator.h"
#include "halfstep/model/generate.h"
#include "halfstep/train/run.h"
#include "halfstep/train/stage_training.h"
#include "tests/device/fake_device.h"
#include "tests/io/temporary_folder.h"
#include "tests/model/small_models.h"
#include "tests/nn/small_networks.h"
#include "tests/nn/torchscript_files.h"
#include "tests/nn/torchscript_fixture.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"
#include "tests/train/small_runs.h"

namespace halfstep {
namespace {

using test::fake_device;
using test::Recorder;

TEST(FakeDevice, RefusesTensorsOfTwoDevices) {
  const Tensor there = at::ones({4}, at::TensorOptions().device(fake_device()));
  EXPECT_THROW(there + at::ones({4}), c10::Error);
  EXPECT_TRUE(at::equal((there + there).cpu(), at::full({4}, 2.0)));
}

TEST(FakeDevice, EndsAProcessThatReadsItsMemory) {
  const Tensor there = at::ones({4}, at::TensorOptions().device(fake_device()));
  EXPECT_DEATH(std::printf("%f\n", there.data_ptr<float>()[0]), "");
}

TEST(FakeDevice, CountsCopies) {
  const test::CountCopies copies;
  const Tensor there = at::ones({4}).to(fake_device());
  EXPECT_EQ(copies.uploads(), 1);
  (void)at::silu(there * there);
  EXPECT_EQ(copies.downloads(), 0);
  (void)there.sum().item<float>();
  (void)there.cpu();
  EXPECT_EQ(copies.downloads(), 2);
  (void)per_example(there, test::float64_vector({1, 2, 3, 4}));
  EXPECT_EQ(copies.uploads(), 2);
  EXPECT_NE(copies.places().find("1 x upload: halfstep::per_example"), std::string::npos)
      << copies.places();
}

// The output of a network for a batch, and the gradients of its parameters.
std::vector<Tensor> compute(const Network& network, const Tensor& z, const Condition& condition,
                            const ForwardOptions& options, const c10::Device& device) {
  const std::unique_ptr<Network> copy = network.clone();
  copy->to(device);
  for (const NamedTensor& parameter : copy->parameters()) parameter.tensor.requires_grad_(true);
  const Tensor raw =
      copy->forward(z.to(device), test::spread_angles(z.size(0)), condition, options);
  raw.square().sum().backward();
  std::vector<Tensor> results = {raw.detach().cpu()};
  for (const NamedTensor& parameter : copy->parameters())
    results.push_back(parameter.tensor.grad().cpu());
  return results;
}

void expect_same_on_device(const Network& network, const Tensor& z, const Condition& condition,
                           const ForwardOptions& options = {}) {
  const std::vector<Tensor> here = compute(network, z, condition, options, at::kCPU);
  const std::vector<Tensor> there = compute(network, z, condition, options, fake_device());
  EXPECT_TENSOR_CLOSE(there[0], here[0]);
  // The gradient of a bias before a normalization is 0 but for rounding.
  double largest = 0.0;
  for (size_t i = 1; i < here.size(); ++i) largest = std::max(largest, test::scale_of(here[i]));
  for (size_t i = 1; i < here.size(); ++i) {
    SCOPED_TRACE(network.parameters()[i - 1].name);
    EXPECT_TENSOR_NEAR(there[i], here[i], test::kFloat32Tolerance * largest);
  }
}

TEST(DeviceNetworks, OfficialUNetWithClassesDropoutAndCheckpointing) {
  UNetOptions options = test::small_unet();
  options.num_classes = 3;
  options.dropout = 0.2;
  const std::unique_ptr<UNet> network = test::random_unet(options);
  network->set_activation_checkpointing(true);
  const Condition condition{.labels = at::tensor(std::vector<int64_t>{2, kNullLabel, 0})};
  expect_same_on_device(*network, test::random_z(options, 3), condition,
                        {.dropout = DropoutKey{.seed = 1, .update = 2, .first_example = 3}});
}

TEST(DeviceNetworks, UNetOfDiffusers) {
  const UNetPlan plan = plan_of(test::small_unet2d(), CosineSchedule{});
  const Tensor z = test::random_normal({2, plan.in_channels, 8, 8}, 4, at::kFloat);
  expect_same_on_device(*test::random_unet(plan), z, {});
}

TEST(DeviceNetworks, UNetWithGuidanceAsAnInput) {
  UNetOptions options = test::tiny_unet();
  options.guidance_ch = 16;
  const Condition condition{.guidance = at::tensor(std::vector<float>{1.0F, 3.5F})};
  expect_same_on_device(*test::random_unet(options), test::random_z(options, 2), condition);
}

using DeviceTorchScript = test::TorchScriptTest;

TEST_F(DeviceTorchScript, Network) { expect_same_on_device(network(test::gaussian_code()), z, {}); }

TEST(DeviceSampling, EverySamplerDrawsTheSameImages) {
  const Model here = test::small_model(/*num_classes=*/3);
  const Model there = here.on(fake_device(), Precision::fp32);
  for (const Sampler sampler :
       {Sampler::ddim, Sampler::ancestral, Sampler::heun, Sampler::dpmpp_2m}) {
    for (const double guidance : {1.0, 2.5}) {
      const GenerateOptions options{.num_steps = 3, .sampler = sampler, .guidance = guidance};
      const Tensor expected = generate(here, {5, 6, 7}, options).images;
      const Tensor images = generate(there, {5, 6, 7}, options).images;
      EXPECT_LE((images.to(at::kInt) - expected.to(at::kInt)).abs().max().item<int>(), 1)
          << static_cast<int>(sampler) << " " << guidance;
    }
  }
}

// Counts the copies of an update of the first stage, after `before` others.
void expect_few_copies(const RunOptions& options, uint64_t before = 1) {
  const Stage stage = options.stages().front();
  const std::shared_ptr<data::RawDataset> dataset = test::small_dataset();
  std::unique_ptr<Network> teacher = test::small_teacher().network().clone();
  std::unique_ptr<Network> student = make_network(stage.spec_of_model(options.model));
  student->initialize(1);
  compute_as_stage(*teacher, options, stage, fake_device());
  compute_as_stage(*student, options, stage, fake_device());
  StageTraining training(options, stage, std::move(teacher), std::move(student));
  for (uint64_t update = 0; update < before; ++update)
    training.method().update(load_batch(*dataset, {.batch_size = 4}, update), 1e-3);
  const data::ExampleBatch batch = load_batch(*dataset, {.batch_size = 4}, before);
  const test::CountCopies copies;
  training.method().update(batch, 1e-3);
  EXPECT_EQ(copies.uploads(), 2) << copies.places();    // pixels; angles, labels and weights
  EXPECT_EQ(copies.downloads(), 1) << copies.places();  // loss and norms
}

TEST(DeviceCopies, AreThreeInAnUpdateOfEveryMethod) {
  expect_few_copies(test::small_training());  // with dropout
  expect_few_copies(test::small_distillation());
  expect_few_copies(test::small_guidance());
  expect_few_copies(test::small_guidance_range());
  expect_few_copies(test::small_refinement());
  expect_few_copies(test::small_matching());
  expect_few_copies(test::small_matching(), /*before=*/20);  // the student moves, too
}

TEST(DeviceCopies, AreNoneInASamplingStep) {
  const Model model = test::small_model(/*num_classes=*/3).on(fake_device(), Precision::fp32);
  std::string places;
  const auto count = [&](int64_t steps) {
    const test::CountCopies copies;
    (void)generate(model, {5, 6, 7}, {.num_steps = steps});
    places = copies.places();
    return std::pair(copies.uploads(), copies.downloads());
  };
  const auto [uploads, downloads] = count(2);
  const auto [more_uploads, more_downloads] = count(3);
  EXPECT_EQ(more_uploads, uploads) << places;
  EXPECT_EQ(more_downloads, downloads) << places;
}

class DeviceRuns : public testing::Test {
 protected:
  Outcome execute_on(const c10::Device& device, const RunDirectory& directory, Recorder& recorder,
                     Evaluator* evaluator = nullptr) const {
    parallel::SingleProcess alone;
    return execute(alone, directory, test::small_dataset(), device, recorder, recorder.stop,
                   std::nullopt, evaluator);
  }

  // Expects that a run logs the same losses on the CPU and on the device, within rounding, and that
  // on the device, a resumed run ends with the bits of one that was not interrupted.
  void expect_same_on_device(const RunOptions& options) const {
    const RunDirectory here = test::start_run(folder / "here", options);
    const RunDirectory there = test::start_run(folder / "there", options);
    Recorder on_cpu;
    Recorder on_device;
    ASSERT_EQ(execute_on(at::kCPU, here, on_cpu), Outcome::finished);
    ASSERT_EQ(execute_on(fake_device(), there, on_device), Outcome::finished);
    ASSERT_EQ(on_device.records.size(), on_cpu.records.size());
    for (size_t i = 0; i < on_cpu.records.size(); ++i) {
      const UpdateRecord& expected = on_cpu.records[i];
      EXPECT_NEAR(on_device.records[i].loss, expected.loss, kLossTolerance * expected.loss) << i;
    }

    const RunDirectory resumed = test::start_run(folder / "resumed", options);
    Recorder first;
    first.stop_at = 5;
    ASSERT_EQ(execute_on(fake_device(), resumed, first), Outcome::interrupted);
    Recorder second;
    ASSERT_EQ(execute_on(fake_device(), resumed, second), Outcome::finished);
    test::expect_same_end(resumed, there);
  }

  // Updates amplify the differences of rounding.
  static constexpr double kLossTolerance = 100.0 * test::kFloat32Tolerance;

  io::TemporaryFolder folder;
};

TEST_F(DeviceRuns, Training) { expect_same_on_device(test::small_training()); }
TEST_F(DeviceRuns, Halving) { expect_same_on_device(test::small_distillation()); }
TEST_F(DeviceRuns, Conversion) { expect_same_on_device(test::small_conversion()); }
TEST_F(DeviceRuns, FixedGuidance) { expect_same_on_device(test::small_guidance()); }
TEST_F(DeviceRuns, RangeOfGuidance) { expect_same_on_device(test::small_guidance_range()); }
TEST_F(DeviceRuns, Direct) { expect_same_on_device(test::small_refinement()); }
TEST_F(DeviceRuns, MomentMatching) { expect_same_on_device(test::small_matching()); }

TEST_F(DeviceRuns, WithEvaluations) {
  const std::filesystem::path features =
      std::filesystem::path(HALFSTEP_SOURCE_DIR) / "models/features/resnet20-fashion.safetensors";
  std::vector<double> distances;
  for (const c10::Device& device : {c10::Device(at::kCPU), fake_device()}) {
    metrics::RunEvaluator evaluator(features);
    RunOptions options = test::small_distillation();
    options.update.evaluate_every = 4;
    options.update.evaluate_num = 8;
    options.features = evaluator.features();
    options.features_sha256 = evaluator.features_sha256();
    const RunDirectory directory = test::start_run(folder / device.str(), options);
    Recorder recorder;
    ASSERT_EQ(execute_on(device, directory, recorder, &evaluator), Outcome::finished);
    for (const UpdateRecord& record : recorder.records) {
      if (record.quality) distances.push_back(record.quality->distance.value());
    }
  }
  ASSERT_EQ(distances.size(), 6U);  // after updates 4, 4 and 6, on both
  for (size_t i = 0; i < 3; ++i) EXPECT_NEAR(distances[i + 3], distances[i], 1e-2 * distances[i]);
}

}  // namespace
}  // namespace halfstep
