#include "halfstep/nn/torchscript_network.h"

#include <ATen/CPUGeneratorImpl.h>
#include <c10/core/InferenceMode.h>
#include <gtest/gtest.h>

#include <limits>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/io/file.h"
#include "tests/nn/torchscript_files.h"
#include "tests/nn/torchscript_fixture.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::expect_throws;
using test::trained;

using TorchScript = test::TorchScriptTest;

TEST_F(TorchScript, ComputesWhatItsCodeSays) {
  const TorchScriptNetwork code = network(test::gaussian_code());
  const Tensor raw = code.forward(z, phi, {});
  EXPECT_TRUE(at::equal(raw, test::GaussianNetwork().forward(z, phi, {})));
  EXPECT_FALSE(raw.requires_grad());
}

TEST_F(TorchScript, ReceivesTheLogSnrClampedTo20) {
  const TorchScriptNetwork echo = network(R"(
def forward(self, z, logsnr):
    return self.scale * logsnr.unsqueeze(1).expand(-1, 2)
)");
  const Tensor expected = logsnr_of_phi(phi).clamp(-20.0, 20.0).to(at::kFloat);
  EXPECT_TRUE(at::equal(echo.forward(z, phi, {}).select(1, 0), expected));
  EXPECT_EQ(expected[0].item<float>(), 20.0F);
  EXPECT_EQ(expected[4].item<float>(), -20.0F);
}

TEST_F(TorchScript, TakesExamplesOfAnyRank) {
  const std::string halve = "def forward(self, z, logsnr): return 0.5 * self.scale * z";
  for (const std::vector<int64_t>& shape :
       {std::vector<int64_t>{7}, {2, 9}, {3, 4, 6}, {2, 3, 4, 5}}) {
    const TorchScriptNetwork any = network(halve, {{.shape = shape, .out_channels = shape[0]}});
    std::vector<int64_t> batch = shape;
    batch.insert(batch.begin(), 5);
    const Tensor numbers = test::random_normal(batch, 3, at::kFloat);
    EXPECT_TRUE(at::equal(any.forward(numbers, phi, {}), 0.5 * numbers));
  }
}

TEST_F(TorchScript, ReceivesLabelsWithMinusOneForNoClass) {
  const TorchScriptNetwork echo = network(
      "def forward(self, z, logsnr, labels): return self.scale * (z * 0 + labels.unsqueeze(1))",
      {{.shape = {2}, .out_channels = 2, .num_classes = 3}});
  const Tensor labels = test::float64_vector({2, kNullLabel, 0, 1, 2}).to(at::kLong);
  EXPECT_TRUE(
      at::equal(echo.forward(z, phi, {.labels = labels}).select(1, 0), labels.to(at::kFloat)));
  EXPECT_TRUE(at::equal(echo.forward(z, phi, {}), at::full({5, 2}, -1.0F)));
}

TEST_F(TorchScript, GradientIsThatOfItsMathematics) {
  const TorchScriptNetwork code = network(test::gaussian_code());
  const test::GaussianNetwork native;
  for (const Network* either :
       {static_cast<const Network*>(&code), static_cast<const Network*>(&native)}) {
    for (const NamedTensor& parameter : either->parameters())
      Tensor(parameter.tensor).requires_grad_(true);
    either->forward(z, phi, {}).square().sum().backward();
  }
  for (size_t i = 0; i < native.parameters().size(); ++i) {
    EXPECT_EQ(code.parameters()[i].name, native.parameters()[i].name);
    EXPECT_TRUE(
        at::equal(code.parameters()[i].tensor.grad(), native.parameters()[i].tensor.grad()));
  }
}

// The optimizations of the executor would change the arithmetic after the calls that it profiles.
TEST_F(TorchScript, EveryCallGivesTheSameBits) {
  const TorchScriptNetwork code = network(test::gaussian_code());
  const Tensor first = code.forward(z, phi, {});
  for (const NamedTensor& parameter : code.parameters())
    Tensor(parameter.tensor).requires_grad_(true);
  for (int call = 0; call < 5; ++call) {
    EXPECT_TRUE(at::equal(code.forward(z, phi, {}).detach(), first));
    const c10::InferenceMode inference;
    EXPECT_TRUE(at::equal(code.forward(z, phi, {}), first));
  }
}

TEST_F(TorchScript, CloneIsDeep) {
  test::TorchScriptCode code = {
      .methods = "def forward(self, z, logsnr): return self.scale * z + self.frozen + self.shift",
      .parameters = {{"scale", trained(at::ones({1}))}, {"frozen", at::ones({1})}},
      .buffers = {{"shift", at::ones({2})}}};
  const TorchScriptNetwork original = network(code);
  const Tensor before = original.forward(z, phi, {});
  const std::unique_ptr<Network> copy = original.clone();
  EXPECT_TRUE(at::equal(copy->forward(z, phi, {}), before));
  original.parameters()[0].tensor.fill_(3.0);
  EXPECT_TRUE(at::equal(copy->forward(z, phi, {}), before));
  EXPECT_FALSE(at::equal(original.forward(z, phi, {}), before));
}

TEST_F(TorchScript, ParametersWithoutGradientAndBuffersAreNotTrained) {
  const TorchScriptNetwork some = network(
      {.methods = "def forward(self, z, logsnr): return (self.scale * z + self.frozen + "
                  "self.shift).float()",
       .parameters = {{"frozen", at::ones({2}, at::kDouble)}, {"scale", trained(at::ones({1}))}},
       .buffers = {{"shift", at::ones({2}, at::kLong)}}});
  ASSERT_EQ(some.parameters().size(), 1u);
  EXPECT_EQ(some.parameters()[0].name, "scale");
  EXPECT_TENSOR_CLOSE(some.forward(z, phi, {}), z + 2.0);
}

TEST_F(TorchScript, TiedParametersAreOne) {
  const Tensor shared = trained(at::ones({1}));
  const TorchScriptNetwork tied =
      network({.methods = "def forward(self, z, logsnr): return self.a * z + self.b * z",
               .parameters = {{"a", shared}, {"b", shared}}});
  ASSERT_EQ(tied.parameters().size(), 1u);
  EXPECT_EQ(tied.parameters()[0].name, "a");
  const std::unique_ptr<Network> copy = tied.clone();
  copy->parameters()[0].tensor.fill_(2.0);
  EXPECT_TRUE(at::equal(copy->forward(z, phi, {}), 4.0 * z));
}

TEST_F(TorchScript, FileWithOtherWeightsIsTheSameNetworkWithThem) {
  test::TorchScriptCode code = test::gaussian_code();
  code.buffers = {{"unused", at::arange(3)}};
  const TorchScriptNetwork original = network(code);
  const std::vector<NamedTensor> weights = {{"mean", at::tensor({1.0F, 2.0F})},
                                            {"deviation", at::tensor({3.0F, 4.0F})}};
  const std::string contents = original.contents_with(weights, "a text");
  EXPECT_EQ(contents, original.contents_with(weights, "a text"));
  io::write_file(path, contents);
  const TorchScriptFile file = read_torchscript(path);
  EXPECT_EQ(file.spec, "a text");
  const TorchScriptNetwork read(file, test::gaussian_options());
  for (size_t i = 0; i < 2; ++i)
    EXPECT_TRUE(at::equal(read.parameters()[i].tensor, weights[i].tensor));
  EXPECT_EQ(read.contents_with(weights, "a text"), contents);
  // The original has not changed.
  EXPECT_TRUE(at::equal(original.forward(z, phi, {}), test::GaussianNetwork().forward(z, phi, {})));
}

TEST_F(TorchScript, DropoutOfTrainingIsOff) {
  const Tensor state = at::detail::getDefaultCPUGenerator().get_state();
  const TorchScriptNetwork dropping = network(
      "def forward(self, z, logsnr): return torch.dropout(self.scale * z, 0.5, self.training)");
  EXPECT_TRUE(at::equal(dropping.forward(z, phi, {}), z));
  EXPECT_TRUE(at::equal(at::detail::getDefaultCPUGenerator().get_state(), state));
}

TEST_F(TorchScript, OtherArgumentsAreRefused) {
  expect_refused("def forward(self, z): return self.scale * z",
                 {"expected the arguments z, logsnr", "forward("});
  expect_refused("def forward(self, z, logsnr, context): return self.scale * z",
                 {"of a network without classes", "context"});
  expect_refused("def forward(self, z, logsnr): return self.scale * z",
                 {"z, logsnr, labels of a network with classes"},
                 {{.shape = {2}, .out_channels = 2, .num_classes = 3}});
  EXPECT_NO_THROW(network("def forward(self, z, t, context: int = 0): return self.scale * z"));
}

TEST_F(TorchScript, OtherOutputsAreRefused) {
  expect_refused("def forward(self, z, logsnr): return self.scale * z[:, :1]",
                 {"forward of float32 [3, 2]: expected float32 [3, 2], received Float [3, 1]"});
  expect_refused("def forward(self, z, logsnr): return (self.scale * z).double()",
                 {"received Double [3, 2]"});
  expect_refused("def forward(self, z, logsnr): return z, self.scale", {"received Tuple["});
  expect_refused("def forward(self, z, logsnr): return self.scale * z",
                 {"expected float32 [3, 4], received Float [3, 2]"},
                 {{.shape = {2}, .out_channels = 4}});
}

TEST_F(TorchScript, FailingCodeIsAnErrorOfOneLine) {
  const std::string methods = "def forward(self, z, logsnr): return self.scale * z.view(64, 2)";
  expect_refused(methods, {"forward of float32 [3, 2]: ", "invalid for input of size 6"});
  try {
    network(methods);
  } catch (const FormatError& error) {
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
  }
}

TEST_F(TorchScript, ParametersThatCannotBeTrainedAreNamed) {
  const std::string methods = "def forward(self, z, logsnr): return (self.w * z).float()";
  expect_refused({.methods = methods, .parameters = {{"w", trained(at::ones({2}, at::kDouble))}}},
                 {"w: expected a parameter of float32, received Double"});
  expect_refused({.methods = methods, .parameters = {{"w", at::ones({2})}}},
                 {"received none among 1", "requires_grad_(True)"});
  expect_refused({.methods = methods, .buffers = {{"w", at::ones({2})}}},
                 {"received none among 0"});
  expect_refused(
      {.methods = methods,
       .parameters = {{"w", trained(at::full({2}, std::numeric_limits<float>::infinity()))}}},
      {"w: expected finite numbers"});
}

TEST_F(TorchScript, ParametersInOneMemoryAreNamed) {
  const Tensor memory = at::ones({4});
  expect_refused({.methods = "def forward(self, z, logsnr): return self.a * z + self.b",
                  .parameters = {{"a", memory.narrow(0, 0, 2).requires_grad_(true)},
                                 {"b", memory.narrow(0, 2, 2).requires_grad_(true)}}},
                 {"b: expected memory of its own, received that of a"});
}

TEST_F(TorchScript, OtherFilesAreRefused) {
  expect_throws<IoError>({path.string()}, [&] { read_torchscript(path); });
  io::write_file(path, "not a zip archive");
  expect_throws<FormatError>({path.string(), "expected a TorchScript file"},
                             [&] { read_torchscript(path); });
  expect_refused("def backward(self, z): return z", {"a method forward"});
}

TEST_F(TorchScript, ComputesOnlyInFloat32) {
  TorchScriptNetwork code = network(test::gaussian_code());
  EXPECT_NO_THROW(code.set_precision(Precision::fp32));
  expect_throws<ConfigError>({path.string(), "auto or fp32", "bf16"},
                             [&] { code.set_precision(Precision::bf16); });
  expect_throws<ConfigError>({path.string(), "in its file"}, [&] { code.initialize(0); });
}

TEST_F(TorchScript, OtherShapesThanItsOwnAreRefused) {
  const TorchScriptNetwork code = network(test::gaussian_code());
  expect_throws<ConfigError>({"z", "[-1, 2]", "[5, 3]"}, [&] {
    code.forward(at::zeros({5, 3}), phi, {});
  });
  expect_throws<ConfigError>({"phi", "[4]"}, [&] { code.forward(z.narrow(0, 0, 4), phi, {}); });
}

TEST(TorchScriptOptions, ErrorsNameTheField) {
  const auto refused = [](const TorchScriptOptions& options, std::string_view field) {
    expect_throws<ConfigError>({"TorchScriptOptions", field}, [&] { validate(options); });
  };
  refused({{.shape = {}, .out_channels = 2}}, "shape");
  refused({{.shape = {2, 0}, .out_channels = 2}}, "shape");
  refused({{.shape = {1 << 20, 1 << 20}, .out_channels = 2}}, "shape");
  refused({{.shape = {1, 1, 1, 1, 1, 1, 1, 1, 1}, .out_channels = 2}}, "shape");
  refused({{.shape = {4, 8, 8}, .out_channels = 4, .images = true}}, "for images");
  refused({{.shape = {2}, .out_channels = 0}}, "out_channels");
  refused({{.shape = {2}, .out_channels = 2, .num_classes = -1}}, "num_classes");
}

}  // namespace
}  // namespace halfstep
