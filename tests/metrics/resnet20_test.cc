#include "halfstep/metrics/resnet20.h"

#include <gtest/gtest.h>

#include "halfstep/core/error.h"
#include "halfstep/metrics/feature_network.h"
#include "tests/io/temporary_folder.h"
#include "tests/metrics/feature_file.h"
#include "tests/support/expect_throws.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

Tensor golden_images() { return test::Golden("metrics/resnet20").at("in/images").to(at::kByte); }

TEST(ResNet20Golden, FeaturesAndLogitsMatchThePublicImplementation) {
  const test::Golden golden("metrics/resnet20");
  const auto network = load_feature_network(test::kResNet20Cifar10);
  const Features found = (*network)(golden_images());
  EXPECT_EQ(found.features.scalar_type(), at::kFloat);
  EXPECT_GOLDEN(found.features, golden.expected("out/features"));
  EXPECT_GOLDEN(found.logits, golden.expected("out/logits"));
}

TEST(ResNet20Golden, AnImagesFeaturesDoNotDependOnItsBatch) {
  const auto network = load_feature_network(test::kResNet20Cifar10);
  const Tensor images = golden_images();
  const Features together = (*network)(images);
  for (int64_t i = 0; i < images.size(0); ++i) {
    const Features alone = (*network)(images.slice(0, i, i + 1));
    EXPECT_TENSOR_CLOSE(alone.features, together.features.slice(0, i, i + 1));
    EXPECT_TENSOR_CLOSE(alone.logits, together.logits.slice(0, i, i + 1));
  }
}

TEST(ResNet20, HasTheSpecOfItsFile) {
  const auto network = load_feature_network(test::kResNet20Cifar10);
  EXPECT_EQ(network->spec().name, "ResNet20-CIFAR10");
  EXPECT_EQ(network->spec().num_features, 64);
  EXPECT_EQ(network->spec().num_logits, 10);
  EXPECT_EQ(network->spec().in_channels, 3);
}

TEST(ResNet20, ImagesMayHaveAnySize) {
  const auto network = load_feature_network(test::kResNet20Cifar10);
  for (const auto& [height, width] : {std::pair{1, 1}, {7, 12}, {28, 28}, {33, 64}}) {
    const Tensor images = at::full({2, 3, height, width}, 77, at::kByte);
    const Tensor features = (*network)(images).features;
    EXPECT_EQ(features.sizes(), at::IntArrayRef({2, 64}));
    EXPECT_TRUE(features.isfinite().all().item<bool>());
  }
}

// A network for grey images that has the weights of the first channel computes the same as a
// network for colour images whose weights of the other two channels are zero.
TEST(ResNet20Golden, AFileForGreyImagesTakesOneChannel) {
  test::FeatureFile gray(test::kResNet20Cifar10), colour = gray;
  const Tensor weight = gray.tensors.at("conv1.weight");
  gray.tensors.at("conv1.weight") = weight.slice(1, 0, 1).contiguous();
  gray.metadata.at("halfstep_features") =
      R"({"network": "resnet20", "name": "gray", "mean": [0.485], "std": [0.229]})";
  colour.tensors.at("conv1.weight") = weight * at::tensor({1.0f, 0.0f, 0.0f}).view({1, 3, 1, 1});
  const io::TemporaryFolder folder;
  gray.write(folder / "gray.safetensors");
  colour.write(folder / "colour.safetensors");
  const auto of_gray = load_feature_network(folder / "gray.safetensors");
  const auto of_colour = load_feature_network(folder / "colour.safetensors");
  EXPECT_EQ(of_gray->spec().in_channels, 1);
  const Tensor images = golden_images();
  EXPECT_TENSOR_CLOSE((*of_gray)(images.slice(1, 0, 1)).features, (*of_colour)(images).features);
  test::expect_throws<ConfigError>({"[gray]", "expected 1 channels, received 3"},
                                   [&] { (*of_gray)(images); });
}

TEST(ResNet20, MeanAndDeviationHaveOneNumberPerChannel) {
  test::FeatureFile file(test::kResNet20Cifar10);
  const io::TemporaryFolder folder;
  const auto path = folder / "network.safetensors";
  const auto expect_refused = [&](const std::string& mean_and_std, std::string_view what) {
    file.metadata.at("halfstep_features") =
        R"({"network": "resnet20", "name": "n", )" + mean_and_std + "}";
    file.write(path);
    test::expect_throws<FormatError>({path.string(), what, "3 channels"},
                                     [&] { load_feature_network(path); });
  };
  expect_refused(R"("mean": [0, 0], "std": [1, 1, 1])", "mean: ");
  expect_refused(R"("mean": [0, 0, 0], "std": [1, 1, 1, 1])", "std: ");
  expect_refused(R"("std": [1, 1, 1])", "mean: ");
}

}  // namespace
}  // namespace halfstep::metrics
