#include "halfstep/nn/unet.h"

#include <ATen/core/grad_mode.h>
#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/train/optimizer.h"
#include "tests/nn/small_networks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::expect_throws;
using test::random_unet;
using test::random_z;
using test::small_unet;
using test::spread_angles;

UNetOptions with_classes() {
  UNetOptions options = small_unet();
  options.num_classes = 10;
  return options;
}

Tensor labels(std::initializer_list<int64_t> values) {
  return at::tensor(std::vector<int64_t>(values), at::TensorOptions().dtype(at::kLong));
}

// Returns the output for two images, the same z and phi in every call.
Tensor output(const Network& network, const UNetOptions& options, const Condition& condition,
              const ForwardOptions& forward = {}) {
  const at::NoGradGuard no_grad;
  return network.forward(random_z(options, 2), spread_angles(2), condition, forward);
}

TEST(UNet, FreshNetworkOutputsExactlyZero) {
  UNet network(with_classes());
  network.initialize(0);
  const Tensor out = output(network, with_classes(), {.labels = labels({1, 2})});
  EXPECT_TRUE(at::equal(out, at::zeros({2, 3, 8, 8})));
}

TEST(UNet, OutputHasTheShapeOfTheOptions) {
  UNetOptions options = small_unet();
  options.out_channels = 6;
  const Tensor out = output(*random_unet(options), options, {});
  EXPECT_EQ(out.sizes(), at::IntArrayRef({2, 6, 8, 8}));
  EXPECT_EQ(out.scalar_type(), at::kFloat);
  EXPECT_TRUE(out.is_contiguous());
}

TEST(UNet, LabelsChangeTheOutputOfTheirExampleOnly) {
  const auto network = random_unet(with_classes());
  const Tensor out = output(*network, with_classes(), {.labels = labels({1, 2})});
  const Tensor other = output(*network, with_classes(), {.labels = labels({1, 3})});
  EXPECT_TRUE(at::equal(out[0], other[0]));
  EXPECT_GT((out[1] - other[1]).abs().max().item<double>(), 0.01);
}

TEST(UNet, NullLabelAndNoLabelsAddOnlyTheBias) {
  const auto network = random_unet(with_classes());
  const Tensor none = output(*network, with_classes(), {});
  const Tensor null =
      output(*network, with_classes(), {.labels = labels({kNullLabel, kNullLabel})});
  EXPECT_TRUE(at::equal(none, null));
  test::parameter(*network, "class_emb.weight").zero_();
  const Tensor bias_alone = output(*network, with_classes(), {.labels = labels({4, 5})});
  EXPECT_TRUE(at::equal(none, bias_alone));
}

TEST(UNet, UnconditionalNetworkIgnoresLabels) {
  const auto network = random_unet(small_unet());
  EXPECT_TRUE(at::equal(output(*network, small_unet(), {}),
                        output(*network, small_unet(), {.labels = labels({1, 2})})));
}

// Records the names of the operators that run on this thread.
std::set<std::string> operators_of(const std::function<void()>& call) {
  static thread_local std::set<std::string> names;
  names.clear();
  const at::RecordFunctionCallback watch(
      [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
        names.insert(function.name());
        return nullptr;
      });
  const at::CallbackHandle handle = at::addThreadLocalCallback(watch);
  call();
  at::removeCallback(handle);
  return names;
}

// The memory layout of an image with one channel is ambiguous. A network that took it for NCHW
// would run every norm in its plain form, at twice the cost.
TEST(UNet, RunsFusedNormsForGreyAndColouredImages) {
  for (const int64_t channels : {1, 3}) {
    for (const Precision precision : {Precision::fp32, Precision::bf16}) {
      UNetOptions options = small_unet();
      options.in_channels = channels;
      const auto network = random_unet(options);
      network->set_precision(precision);
      const std::set<std::string> names = operators_of([&] { output(*network, options, {}); });
      EXPECT_TRUE(names.contains("aten::convolution")) << "operators are seen";
      EXPECT_FALSE(names.contains("aten::var_mean")) << channels << " channels";
    }
  }
}

TEST(UNet, OutputDoesNotDependOnTheMemoryLayoutOfZ) {
  const at::NoGradGuard no_grad;
  const auto network = random_unet(small_unet());
  const Tensor z = random_z(small_unet(), 3);
  const Tensor channels_last = z.contiguous(at::MemoryFormat::ChannelsLast);
  ASSERT_FALSE(channels_last.is_contiguous());
  EXPECT_TRUE(at::equal(network->forward(z, spread_angles(3), {}),
                        network->forward(channels_last, spread_angles(3), {})));
}

TEST(UNet, ExamplesDoNotSeeEachOther) {
  const at::NoGradGuard no_grad;
  const auto network = random_unet(small_unet());
  const Tensor z = random_z(small_unet(), 4);
  const Tensor phi = spread_angles(4);
  const Tensor together = network->forward(z, phi, {});
  for (int64_t i = 0; i < 4; ++i) {
    EXPECT_TENSOR_CLOSE(network->forward(z.narrow(0, i, 1), phi.narrow(0, i, 1), {}),
                        together.narrow(0, i, 1));
  }
}

TEST(UNet, RefusesToRunOnParametersWrittenWithoutAnEditor) {
  const at::NoGradGuard no_grad;
  const auto network = random_unet(small_unet());
  for (const NamedTensor& parameter : network->parameters()) {
    if (parameter.name == "conv_in.weight") Tensor(parameter.tensor).mul_(2.0);
  }
  EXPECT_THROW(output(*network, small_unet(), {}), Error);
  { const ParameterEditor editor(*network); }
  EXPECT_NO_THROW(output(*network, small_unet(), {}));
}

TEST(UNet, CloneIsDeep) {
  const auto teacher = random_unet(with_classes());
  const Condition condition{.labels = labels({1, 2})};
  const Tensor before = output(*teacher, with_classes(), condition);
  const std::unique_ptr<Network> student = teacher->clone();
  ASSERT_TRUE(test::same_parameters(*teacher, *student));
  EXPECT_TRUE(at::equal(output(*student, with_classes(), condition), before));

  Optimizer optimizer(*student, {});
  const Tensor z = random_z(with_classes(), 2);
  student->forward(z, spread_angles(2), condition).square().sum().backward();
  optimizer.step(0.01);
  EXPECT_FALSE(at::equal(output(*student, with_classes(), condition), before));
  EXPECT_TRUE(at::equal(output(*teacher, with_classes(), condition), before));
}

TEST(UNet, CloneHasThePrecisionAndNoGradients) {
  const auto network = random_unet(small_unet());
  network->set_precision(Precision::bf16);
  Optimizer optimizer(*network, {});  // sets requires_grad
  const std::unique_ptr<Network> copy = network->clone();
  for (const NamedTensor& parameter : copy->parameters()) {
    EXPECT_FALSE(parameter.tensor.requires_grad()) << parameter.name;
  }
  EXPECT_TRUE(at::equal(output(*copy, small_unet(), {}), output(*network, small_unet(), {})));
}

TEST(UNet, Bf16IsNearFp32AndFp32AfterwardsIsAsBefore) {
  const auto network = random_unet(small_unet());
  const Tensor fp32 = output(*network, small_unet(), {});
  network->set_precision(Precision::bf16);
  const Tensor bf16 = output(*network, small_unet(), {});
  EXPECT_EQ(bf16.scalar_type(), at::kFloat);
  EXPECT_FALSE(at::equal(bf16, fp32));
  EXPECT_TENSOR_NEAR(bf16, fp32, test::kBFloat16NetworkTolerance * test::scale_of(fp32));
  network->set_precision(Precision::fp32);
  EXPECT_TRUE(at::equal(output(*network, small_unet(), {}), fp32));
}

UNetOptions with_dropout() {
  UNetOptions options = small_unet();
  options.dropout = 0.3;
  return options;
}

TEST(UNet, DropsOnlyWithAKey) {
  UNetOptions without = with_dropout();
  without.dropout = 0.0;
  const auto dropping = random_unet(with_dropout());
  const auto plain = random_unet(without);
  const ForwardOptions keyed{.dropout = DropoutKey{.seed = 1, .update = 2}};
  EXPECT_TRUE(at::equal(output(*dropping, with_dropout(), {}), output(*plain, without, {})));
  EXPECT_TRUE(at::equal(output(*plain, without, {}, keyed), output(*plain, without, {})));
  const Tensor dropped = output(*dropping, with_dropout(), {}, keyed);
  EXPECT_FALSE(at::equal(dropped, output(*dropping, with_dropout(), {})));
  EXPECT_TRUE(at::equal(dropped, output(*dropping, with_dropout(), {}, keyed)));
}

TEST(UNet, DropoutOfAnExampleIsTheSameInAnyPartOfTheBatch) {
  const at::NoGradGuard no_grad;
  const auto network = random_unet(with_dropout());
  const Tensor z = random_z(with_dropout(), 4);
  const Tensor phi = spread_angles(4);
  const auto part = [&](int64_t first, int64_t count) {
    const DropoutKey key{.seed = 1, .update = 2, .first_example = static_cast<uint32_t>(first)};
    return network->forward(z.narrow(0, first, count), phi.narrow(0, first, count), {},
                            {.dropout = key});
  };
  EXPECT_TENSOR_CLOSE(at::cat({part(0, 2), part(2, 2)}), part(0, 4));
}

TEST(UNet, RefusesInputsOfAnotherShape) {
  const auto network = random_unet(small_unet());
  const Tensor z = random_z(small_unet(), 2);
  const Tensor phi = spread_angles(2);
  EXPECT_THROW(network->forward(z.narrow(2, 0, 4), phi, {}), ConfigError);
  EXPECT_THROW(network->forward(z.narrow(1, 0, 1), phi, {}), ConfigError);
  EXPECT_THROW(network->forward(z, phi.narrow(0, 0, 1), {}), ConfigError);
  EXPECT_THROW(network->forward(z, phi, {.labels = labels({1})}), ConfigError);
  expect_throws<ConfigError>({"UNet", "guidance", "no such input"},
                             [&] { network->forward(z, phi, {.guidance = at::ones({2})}); });
  expect_throws<ConfigError>({"UNet", "low_res", "no such input"}, [&] {
    network->forward(z, phi, {.tensors = {{"low_res", z}}});
  });
}

TEST(UNetOptions, ErrorsNameTheField) {
  const std::vector<std::pair<std::string, std::function<void(UNetOptions&)>>> mistakes = {
      {"guidance_ch", [](UNetOptions& o) { o.guidance_ch = 2; }},
      {"image_size", [](UNetOptions& o) { o.image_size = 0; }},
      {"image_size", [](UNetOptions& o) { o.image_size = 9; }},
      {"in_channels", [](UNetOptions& o) { o.in_channels = 0; }},
      {"out_channels", [](UNetOptions& o) { o.out_channels = -1; }},
      {"ch:", [](UNetOptions& o) { o.ch = 48; }},
      {"ch:", [](UNetOptions& o) { o.ch = 0; }},
      {"emb_ch", [](UNetOptions& o) { o.emb_ch = 0; }},
      {"ch_mult", [](UNetOptions& o) { o.ch_mult = {}; }},
      {"ch_mult",
       [](UNetOptions& o) {
         o.ch_mult = {1, 0};
       }},
      {"ch_mult", [](UNetOptions& o) { o.ch_mult.assign(70, 1); }},
      {"num_res_blocks", [](UNetOptions& o) { o.num_res_blocks = 0; }},
      {"num_heads and head_dim", [](UNetOptions& o) { o.head_dim = 32; }},
      {"num_heads and head_dim", [](UNetOptions& o) { o.num_heads.reset(); }},
      {"num_heads or head_dim", [](UNetOptions& o) { o.num_heads = 7; }},
      {"num_heads or head_dim", [](UNetOptions& o) { o.num_heads = 0; }},
      {"dropout", [](UNetOptions& o) { o.dropout = 1.0; }},
      {"dropout", [](UNetOptions& o) { o.dropout = -0.1; }},
      {"num_classes", [](UNetOptions& o) { o.num_classes = -1; }}};
  EXPECT_NO_THROW(validate(small_unet()));
  for (const auto& [field, make] : mistakes) {
    UNetOptions options = small_unet();
    make(options);
    try {
      validate(options);
      ADD_FAILURE() << "accepted a wrong " << field;
    } catch (const ConfigError& error) {
      EXPECT_NE(std::string(error.what()).find(field), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace halfstep
