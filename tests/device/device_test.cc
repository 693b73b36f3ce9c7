// Everything that computes gives on another device what it gives on the CPU: networks, samplers,
// runs, resumed runs, evaluations. Unless HALFSTEP_TEST_DEVICE names another device, it is one
// without hardware (fake_device.h), on which code that takes device memory for host memory fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/metrics/run_evaluator.h"
#include "halfstep/model/generate.h"
#include "halfstep/train/run.h"
#include "tests/device/test_device.h"
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

using test::Recorder;
using test::test_device;

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
  const std::vector<Tensor> there = compute(network, z, condition, options, test_device());
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

TEST(DeviceNetworks, UNetInBFloat16) {
  const UNetOptions options = test::small_unet();
  const std::unique_ptr<UNet> network = test::random_unet(options);
  const Tensor z = test::random_z(options, 2);
  const Tensor phi = test::spread_angles(2);
  const at::NoGradGuard no_grad;
  const Tensor expected = network->forward(z, phi, {});
  network->to(test_device());
  network->set_precision(Precision::bf16);
  const Tensor raw = network->forward(z.to(test_device()), phi, {}).cpu();
  EXPECT_TENSOR_NEAR(raw, expected, test::kBFloat16NetworkTolerance * test::scale_of(expected));
  EXPECT_FALSE(at::equal(raw, expected));
}

using DeviceTorchScript = test::TorchScriptTest;

TEST_F(DeviceTorchScript, Network) { expect_same_on_device(network(test::gaussian_code()), z, {}); }

TEST(DeviceSampling, EverySamplerDrawsTheSameImages) {
  const Model here = test::small_model(/*num_classes=*/3);
  const Model there = here.on(test_device(), Precision::fp32);
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

// Returns all parameters of a model file as one vector.
Tensor parameters_of(const std::filesystem::path& path) {
  const Model model = Model::load(path);
  std::vector<Tensor> parts;
  for (const NamedTensor& parameter : model.network().parameters())
    parts.push_back(parameter.tensor.flatten());
  return at::cat(parts);
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
    ASSERT_EQ(execute_on(test_device(), there, on_device), Outcome::finished);
    ASSERT_EQ(on_device.records.size(), on_cpu.records.size());
    for (size_t i = 0; i < on_cpu.records.size(); ++i) {
      const UpdateRecord& expected = on_cpu.records[i];
      EXPECT_NEAR(on_device.records[i].loss, expected.loss, kTolerance * expected.loss) << i;
    }
    expect_same_averages(here, there);

    const RunDirectory resumed = test::start_run(folder / "resumed", options);
    Recorder first;
    first.stop_at = 5;
    ASSERT_EQ(execute_on(test_device(), resumed, first), Outcome::interrupted);
    Recorder second;
    ASSERT_EQ(execute_on(test_device(), resumed, second), Outcome::finished);
    test::expect_same_end(resumed, there);
  }

  // Expects the same averaged weights in the finished models, in the root mean square: where a
  // gradient is rounding alone, Adam makes steps of its sign.
  static void expect_same_averages(const RunDirectory& here, const RunDirectory& there) {
    for (const Stage& stage : here.options().stages()) {
      const Tensor expected = parameters_of(here.stage_folder(stage));
      const Tensor weights = parameters_of(there.stage_folder(stage));
      const double difference = (weights - expected).square().mean().sqrt().item<double>();
      EXPECT_LT(difference, 0.01 * here.options().update.lr) << stage.num_steps;
    }
  }

  // Updates amplify the differences of rounding.
  static constexpr double kTolerance = 100.0 * test::kFloat32Tolerance;

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
  for (const c10::Device& device : {c10::Device(at::kCPU), test_device()}) {
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
