#include "halfstep/metrics/torchscript_features.h"

#include <gtest/gtest.h>
#include <torch/script.h>

#include <string>
#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "tests/io/temporary_folder.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

using test::expect_throws;

class TorchScriptFeatures : public ::testing::Test {
 protected:
  // Writes a module with `weight` [3, 5] and these methods.
  void write(const std::string& methods) const {
    torch::jit::Module module("Network");
    module.register_parameter("weight", weight, /*is_buffer=*/false);
    module.register_attribute("training", c10::BoolType::get(), true);
    module.define(methods + "\n");  // the parser requires a newline at the end
    module.save(path.string());
  }
  void expect_refused(const std::string& methods,
                      std::initializer_list<std::string_view> words) const {
    write(methods);
    expect_throws<FormatError>(words, [&] { load_feature_network(path); });
    expect_throws<FormatError>({path.string()}, [&] { load_feature_network(path); });
  }

  io::TemporaryFolder folder;
  std::filesystem::path path = folder / "my-network.pt";
  Tensor weight = test::random_normal({3, 5}, 1, at::kFloat);
  Tensor images = (test::random_normal({4, 3, 9, 11}, 2) * 40 + 128).clamp(0, 255).to(at::kByte);
};

TEST_F(TorchScriptFeatures, AreComputedByTheFile) {
  write(R"(
def forward(self, images):
    return images.float().mean([2, 3]) @ self.weight
)");
  const auto network = load_feature_network(path);
  EXPECT_EQ(network->spec().name, "my-network");
  EXPECT_EQ(network->spec().num_features, 5);
  EXPECT_EQ(network->spec().num_logits, 0);
  EXPECT_EQ(network->spec().in_channels, 3);
  const Features found = (*network)(images);
  EXPECT_TENSOR_CLOSE(found.features, images.to(at::kFloat).mean({2, 3}).matmul(weight));
  EXPECT_FALSE(found.features.requires_grad());
  EXPECT_FALSE(found.logits.defined());
}

TEST_F(TorchScriptFeatures, AreRequestedByReturnFeatures) {
  write(R"(
def forward(self, images, use_fp16: bool = False, return_features: bool = False):
    x = images.float().mean([2, 3])
    if return_features:
        return x
    return x @ self.weight
)");
  const auto network = load_feature_network(path);
  EXPECT_EQ(network->spec().num_features, 3);
  EXPECT_TENSOR_CLOSE((*network)(images).features, images.to(at::kFloat).mean({2, 3}));
}

TEST_F(TorchScriptFeatures, AreClassifiedByTheMethodLogits) {
  write(R"(
def forward(self, images):
    return images.double().mean([2, 3])
def logits(self, features):
    assert features.dtype == 7  # float64
    return features @ self.weight.double()
)");
  const auto network = load_feature_network(path);
  EXPECT_EQ(network->spec().num_features, 3);
  EXPECT_EQ(network->spec().num_logits, 5);
  const Features found = (*network)(images);
  EXPECT_EQ(found.logits.scalar_type(), at::kFloat);
  EXPECT_TENSOR_CLOSE(found.logits, images.to(at::kFloat).mean({2, 3}).matmul(weight));
}

TEST_F(TorchScriptFeatures, NeedOneRowOfLogitsPerImage) {
  const std::string forward = "def forward(self, x): return x.float().mean([2, 3])\n";
  expect_refused(forward + "def logits(self, x): return x.mean(1)",
                 {"logits of features [2, 3]: expected floating-point logits [2, classes]",
                  "received Float [2]"});
  expect_refused(forward + "def logits(self, x): return x.argmax(1, True)",
                 {"received Long [2, 1]"});
}

TEST_F(TorchScriptFeatures, FallBackToOneChannel) {
  write(R"(
def forward(self, images):
    assert images.size(1) == 1
    return images.double().mean([2]).flatten(1)[:, :6]
)");
  const auto network = load_feature_network(path);
  EXPECT_EQ(network->spec().in_channels, 1);
  const Tensor gray = images.slice(1, 0, 1);
  const Tensor features = (*network)(gray).features;
  EXPECT_EQ(features.scalar_type(), at::kFloat);
  EXPECT_TENSOR_CLOSE(features, gray.to(at::kFloat).mean({2}).flatten(1).slice(1, 0, 6));
  expect_throws<ConfigError>({"[my-network]", "expected 1 channels, received 3"},
                             [&] { (*network)(images); });
}

TEST_F(TorchScriptFeatures, OfGreyImagesAreThoseOfThreeEqualChannels) {
  write(R"(
def forward(self, images):
    return images.view(images.size(0), 3, -1).float().mean([2]) @ self.weight
)");
  const auto network = load_feature_network(path);
  const Tensor gray = images.slice(1, 0, 1);
  EXPECT_TENSOR_CLOSE((*network)(gray).features, (*network)(gray.repeat({1, 3, 1, 1})).features);
}

TEST_F(TorchScriptFeatures, AreComputedInEvaluationMode) {
  write(R"(
def forward(self, images):
    x = images.float().mean([2, 3]) @ self.weight
    return torch.dropout(x, 0.5, self.training)
)");
  const auto network = load_feature_network(path);
  const Tensor expected = images.to(at::kFloat).mean({2, 3}).matmul(weight);
  for (int call = 0; call < 4; ++call) EXPECT_TENSOR_CLOSE((*network)(images).features, expected);
}

TEST_F(TorchScriptFeatures, MustBeOneRowPerImage) {
  expect_refused("def forward(self, x): return x.float()",
                 {"forward of uint8 [2, 3, 32, 32]: expected floating-point features [2, D]",
                  "received Float [2, 3, 32, 32]"});
  expect_refused("def forward(self, x): return x.float().mean([0, 2])", {"received Float [3, 32]"});
  expect_refused("def forward(self, x): return x.float().mean([2, 3])[:, :0]",
                 {"received Float [2, 0]"});
  expect_refused("def forward(self, x): return x[:, :, 0, 0]", {"received Byte [2, 3]"});
  expect_refused("def forward(self, x): return x.float().mean([2, 3]), x",
                 {"received Tuple[Tensor, Tensor]"});
}

TEST_F(TorchScriptFeatures, MustBeEquallyManyForEverySize) {
  write("def forward(self, x): return x.float().mean([1, 2])");
  const auto network = load_feature_network(path);
  expect_throws<FormatError>({path.string(), "expected 32 features", "received 11"},
                             [&] { (*network)(images); });
}

TEST_F(TorchScriptFeatures, ThatFailToComputeGiveAOneLineError) {
  const std::string methods = "def forward(self, x): return x.float().flatten(1) @ self.weight";
  expect_refused(methods, {"forward of uint8 [2, 3, 32, 32]: ", "mat1 and mat2"});
  try {
    load_feature_network(path);
  } catch (const FormatError& error) {
    EXPECT_EQ(std::string_view(error.what()).find('\n'), std::string_view::npos) << error.what();
  }
}

TEST_F(TorchScriptFeatures, OtherFilesAreRefused) {
  expect_refused("def backward(self, x): return x", {"a method forward"});
  io::write_file(path, "not a zip archive");
  expect_throws<FormatError>({path.string(), "expected a TorchScript file"},
                             [&] { load_feature_network(path); });
}

TEST_F(TorchScriptFeatures, MissingFileIsAnIoErrorThatNamesIt) {
  expect_throws<IoError>({path.string()}, [&] { load_feature_network(path); });
}

}  // namespace
}  // namespace halfstep::metrics
