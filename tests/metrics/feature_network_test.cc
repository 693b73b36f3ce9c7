#include "halfstep/metrics/feature_network.h"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "tests/io/temporary_folder.h"
#include "tests/metrics/feature_file.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

using test::expect_throws;

Tensor some_images(int64_t channels) {
  return at::arange(2 * channels * 12 * 10).view({2, channels, 12, 10}).to(at::kByte);
}

class FeatureNetworkFile : public ::testing::Test {
 protected:
  // Expects a FormatError whose message has these words and the name of the file.
  void expect_refused(std::initializer_list<std::string_view> words) const {
    file.write(path);
    expect_throws<FormatError>(words, [&] { load_feature_network(path); });
    expect_throws<FormatError>({path.string()}, [&] { load_feature_network(path); });
  }
  void expect_metadata_refused(const std::string& json,
                               std::initializer_list<std::string_view> words) {
    file.metadata.at("halfstep_features") = json;
    expect_refused(words);
  }

  io::TemporaryFolder folder;
  std::filesystem::path path = folder / "network.safetensors";
  test::FeatureFile file{test::kResNet20Cifar10};
};

TEST(FeatureNetwork, RepeatsGreyImagesForANetworkOfColourImages) {
  const auto network = load_feature_network(test::kResNet20Cifar10);
  const Tensor gray = some_images(1);
  const Features of_gray = (*network)(gray);
  const Features of_three = (*network)(gray.repeat({1, 3, 1, 1}));
  EXPECT_TENSOR_CLOSE(of_gray.features, of_three.features);
  EXPECT_TENSOR_CLOSE(of_gray.logits, of_three.logits);
}

TEST(FeatureNetwork, RequiresFourDimensionalBytes) {
  const auto network = load_feature_network(test::kResNet20Cifar10);
  const auto expect_refused = [&](const Tensor& images, std::string_view received) {
    expect_throws<ConfigError>({"[ResNet20-CIFAR10] images: expected", received},
                               [&] { (*network)(images); });
  };
  expect_refused(some_images(3).to(at::kFloat), "received Float [2, 3, 12, 10]");
  expect_refused(some_images(3)[0], "received Byte [3, 12, 10]");
  expect_refused(some_images(2), "expected 3 channels, received 2");
  expect_refused(some_images(4), "expected 3 channels, received 4");
}

TEST(FeatureNetwork, BuildsNoGraph) {
  const auto network = load_feature_network(test::kResNet20Cifar10);
  const at::AutoGradMode on(true);
  EXPECT_FALSE((*network)(some_images(3)).features.requires_grad());
}

TEST_F(FeatureNetworkFile, DoesNotDependOnTheNameOfTheFile) {
  file.write(path);
  const Tensor images = some_images(3);
  EXPECT_TRUE(at::equal((*load_feature_network(path))(images).features,
                        (*load_feature_network(test::kResNet20Cifar10))(images).features));
}

TEST_F(FeatureNetworkFile, MissingFileIsAnIoErrorThatNamesIt) {
  expect_throws<IoError>({path.string()}, [&] { load_feature_network(path); });
}

TEST_F(FeatureNetworkFile, NetworksInAFolderAreNamed) {
  io::write_file(folder / "other.pt", std::string_view("x"));
  expect_throws<FormatError>({folder.path().string(), "a folder with other.pt"},
                             [&] { load_feature_network(folder.path()); });
}

TEST_F(FeatureNetworkFile, MustNameItsNetwork) {
  file.metadata.clear();
  expect_refused({"expected the metadata key halfstep_features, received none"});
}

TEST_F(FeatureNetworkFile, MetadataMustBeKnownInKeyAndType) {
  expect_metadata_refused(R"({"network": "vgg16", "name": "n"})", {"network: ", "\"vgg16\""});
  expect_metadata_refused(R"({"network": "resnet20"})", {"name: expected a non-empty name"});
  expect_metadata_refused(R"({"network": "resnet20", "name": 7})", {"name: ", "received 7"});
  expect_metadata_refused(R"({"network": "resnet20", "name": "n", "eps": 1})",
                          {"unknown key \"eps\""});
  expect_metadata_refused("resnet20", {"halfstep_features"});
}

TEST_F(FeatureNetworkFile, NoTensorMayBeMissing) {
  file.tensors.erase("layer2.1.bn2.running_var");
  expect_refused({"layer2.1.bn2.running_var: expected f32 [32], received no such tensor"});
}

TEST_F(FeatureNetworkFile, TensorsMustHaveTheShapesOfTheNetwork) {
  file.tensors.at("layer3.0.conv1.weight") = at::zeros({64, 32, 5, 5});
  expect_refused(
      {"layer3.0.conv1.weight: expected f32 [64, 32, 3, 3], received f32 [64, 32, 5, 5]"});
}

TEST_F(FeatureNetworkFile, TensorsMustBeFloat32) {
  file.tensors.at("linear.bias") = at::zeros({10}, at::kDouble);
  expect_refused({"linear.bias: expected f32 [10], received f64 [10]"});
}

TEST_F(FeatureNetworkFile, NoTensorMayBeLeftOver) {
  file.tensors.emplace("layer1.3.conv1.weight", at::zeros({16, 16, 3, 3}));
  expect_refused({"layer1.3.conv1.weight: expected only the network's tensors"});
}

TEST_F(FeatureNetworkFile, OtherKindsOfFilesAreRefused) {
  const auto other = folder / "network.onnx";
  io::write_file(other, "");
  expect_throws<FormatError>({other.string(), "NAME.safetensors"},
                             [&] { load_feature_network(other); });
}

}  // namespace
}  // namespace halfstep::metrics
