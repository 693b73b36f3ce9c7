// Networks that the caller of the library makes: files and runs of them.
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/model/generate.h"
#include "halfstep/model/model_file.h"
#include "halfstep/train/distill.h"
#include "tests/model/small_models.h"
#include "tests/support/expect_throws.h"
#include "tests/train/run_fixture.h"

namespace halfstep {
namespace {

using test::expect_throws;

// Code of the caller that computes what one of our own networks computes.
class CallersNetwork final : public Network {
 public:
  explicit CallersNetwork(std::unique_ptr<Network> inner) : inner_(std::move(inner)) {}

  void initialize(uint64_t seed) override { inner_->initialize(seed); }
  const std::vector<NamedTensor>& parameters() const override { return inner_->parameters(); }
  std::unique_ptr<Network> clone() const override {
    return std::make_unique<CallersNetwork>(inner_->clone());
  }
  void set_precision(Precision precision) override { inner_->set_precision(precision); }
  void to(const at::Device& device) override { inner_->to(device); }

 private:
  Tensor forward_impl(const Tensor& z, const Tensor& phi, const Condition& condition,
                      const ForwardOptions& options) const override {
    return inner_->forward(z, phi, condition, options);
  }
  void parameters_changed() override { const ParameterEditor rebuilds(*inner_); }

  std::unique_ptr<Network> inner_;
};

// Returns the model with its network as the caller's code.
Model as_external(const Model& model) {
  ModelSpec spec = model.spec();
  const UNetOptions& unet = test::unet(spec);
  spec.network = ExternalOptions{{.shape = {unet.in_channels, unet.image_size, unet.image_size},
                                  .out_channels = unet.out_channels,
                                  .images = true,
                                  .num_classes = unet.num_classes},
                                 "CallersNetwork"};
  return {spec, std::make_unique<CallersNetwork>(model.network().clone())};
}

// Makes networks of small_teacher() with other weights.
std::unique_ptr<Network> make_other(const ModelSpec& /*spec*/) {
  auto network = std::make_unique<CallersNetwork>(test::small_init().network().clone());
  return network;
}

class ExternalNetwork : public test::RunTest {
 protected:
  RunResult distil(const Model& teacher, test::Recorder& observer) {
    const RunOptions options = test::small_chain();
    return distill(teacher, {.dataset = test::small_dataset()}, options.distill, options.update,
                   {.outdir = folder.path(), .observer = &observer, .stop = observer.stop});
  }
};

TEST_F(ExternalNetwork, FilesHoldItsWeights) {
  const Model model = as_external(test::small_teacher());
  const std::filesystem::path file = folder.path() / "model.safetensors";
  model.save(file);
  const Model loaded = Model::load(file, {.factory = make_other});
  EXPECT_TRUE(test::same_parameters(loaded.network(), model.network()));
  EXPECT_EQ(std::get<ExternalOptions>(loaded.spec().network).code, "CallersNetwork");
  EXPECT_TRUE(at::equal(generate(loaded, {1, 2}, {.num_steps = 2}).images,
                        generate(test::small_teacher(), {1, 2}, {.num_steps = 2}).images));
  EXPECT_EQ(count_parameters_of(file), count_parameters(model.network()));
  expect_throws<ConfigError>({"external", "CallersNetwork", "not in its file"},
                             [&] { Model::load(file); });
  expect_throws<FormatError>({"tensors", "received"}, [&] {
    Model::load(file, {.factory = [](const ModelSpec&) -> std::unique_ptr<Network> {
                  return std::make_unique<CallersNetwork>(test::small_model().network().clone());
                }});
  });
}

TEST_F(ExternalNetwork, IsDistilledToTheBitsOfTheSameNetworkOfOurs) {
  const RunResult expected = distil(test::small_teacher(), recorder);
  test::Recorder other;
  const RunResult external = distil(as_external(test::small_teacher()), other);
  EXPECT_TRUE(test::same_parameters(*load_network(external.model_file, make_other),
                                    expected.model().network()));
}

TEST_F(ExternalNetwork, RunsResumeWithAFactory) {
  const Model teacher = as_external(test::small_teacher());
  const RunResult expected = distil(teacher, recorder);
  test::Recorder interrupted;
  interrupted.stop_at = 6;
  const RunResult stopped = distil(teacher, interrupted);
  ASSERT_EQ(stopped.outcome, Outcome::interrupted);
  const ResumeOptions options{.dataset = test::small_dataset()};
  expect_throws<ConfigError>({"factory", "received none"},
                             [&] { resume(stopped.folder, options); });
  const RunResult resumed = resume(stopped.folder, options, {.factory = make_other});
  EXPECT_TRUE(test::same_parameters(*load_network(resumed.model_file, make_other),
                                    *load_network(expected.model_file, make_other)));
}

TEST_F(ExternalNetwork, CannotTakeTheGuidanceWeightOrComputeInBf16) {
  const Model teacher = as_external(test::small_teacher());
  const RunOptions options = test::small_guidance_range();
  const TrainingData data{.dataset = test::small_dataset()};
  expect_throws<ConfigError>({"guidance", "network that is code"}, [&] {
    plan_run(SourceModel(teacher), data, options.distill, options.update);
  });
  UpdateOptions update = options.update;
  update.precision = PrecisionChoice::bf16;
  expect_throws<ConfigError>({"precision", "fp32", "bf16"}, [&] {
    plan_run(SourceModel(teacher), data, test::small_chain().distill, update);
  });
}

}  // namespace
}  // namespace halfstep
