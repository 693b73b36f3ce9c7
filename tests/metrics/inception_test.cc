#include "halfstep/metrics/inception.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/core/error.h"
#include "tests/io/temporary_folder.h"
#include "tests/metrics/feature_file.h"
#include "tests/support/expect_throws.h"
#include "tests/support/golden.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

using test::Golden;

constexpr const char* kAbout = R"({"network": "inception", "name": "Inception"})";

// ---- The weights of tests/golden/make_metrics.py, which are too many to store.

// Returns `count` numbers in [-1, 1), exact in float32, that are a function of (name, index).
Tensor uniform(const std::string& name, int64_t count) {
  uint32_t seed = 2166136261u;
  for (const char c : name) seed = (seed ^ static_cast<uint8_t>(c)) * 16777619u;  // FNV-1a
  Tensor numbers = at::empty({count}, at::kFloat);
  float* number = numbers.data_ptr<float>();
  for (int64_t i = 0; i < count; ++i) {
    uint32_t h = static_cast<uint32_t>(i) * 0x9E3779B9u + seed;
    h = (h ^ (h >> 16)) * 0x85EBCA6Bu;  // the finalizer of MurmurHash3
    h = (h ^ (h >> 13)) * 0xC2B2AE35u;
    h = h ^ (h >> 16);
    number[i] = static_cast<float>(static_cast<int32_t>(h >> 8)) * 0x1p-23f - 1.0f;
  }
  return numbers;
}

Tensor weight_of(const std::string& name, const std::vector<int64_t>& shape) {
  const std::string kind = name.substr(name.rfind('.') + 1);
  const int64_t count = c10::multiply_integers(shape);
  Tensor u = uniform(name, count);
  if (kind == "weight" && shape.size() > 1) {
    const double fan_in = static_cast<double>(count) / static_cast<double>(shape[0]);
    u.mul_(std::sqrt(6.0 / fan_in));
  } else if (kind == "weight") {
    u.mul_(0.25).add_(1.0);
  } else if (kind == "running_var") {
    u.mul_(0.5).add_(1.0);
  } else {
    u.mul_(0.25);
  }
  return u.view(shape);
}

test::FeatureFile public_names_and_shapes(const Golden& golden) {
  test::FeatureFile file;
  for (const auto& [name, shape] : golden.settings().at("tensors").items())
    file.tensors.emplace(name, weight_of(name, shape.get<std::vector<int64_t>>()));
  file.metadata.emplace("halfstep_features", kAbout);
  return file;
}

// The elements of a layer that the golden file stores.
Tensor sampled(const Tensor& layer, int64_t count) {
  const Tensor flat = layer.contiguous().flatten();
  return flat.slice(0, 0, std::nullopt, flat.numel() / count).slice(0, 0, count);
}

// This checks names and shapes as well: those of the public implementation's state_dict.
TEST(InceptionGolden, EveryLayerMatchesThePublicImplementation) {
  const Golden golden("metrics/inception");
  const io::TemporaryFolder folder;
  const auto path = folder / "inception.safetensors";
  public_names_and_shapes(golden).write(path);
  const auto network = load_feature_network(path);
  EXPECT_EQ(network->spec().name, "Inception");
  EXPECT_TRUE(network->spec().defines_fid);
  EXPECT_EQ(network->spec().num_features, 2048);
  EXPECT_EQ(network->spec().num_logits, 1008);
  EXPECT_EQ(network->spec().in_channels, 3);

  const Tensor images = golden.at("in/images").to(at::kByte);
  const int64_t samples = golden.settings().at("samples").get<int64_t>();
  std::vector<std::string> layers;
  const Features found = dynamic_cast<const Inception&>(*network).run(
      images, [&](const std::string& name, const Tensor& output) {
        layers.push_back(name);
        EXPECT_GOLDEN(sampled(output, samples), golden.expected("out/" + name));
      });
  EXPECT_EQ(layers, golden.strings("layers"));
  EXPECT_GOLDEN(found.features, golden.expected("out/features"));
  EXPECT_GOLDEN(found.logits, golden.expected("out/logits"));

  const Features alone = (*network)(images.slice(0, 1, 2));  // one image, without an observer
  EXPECT_TENSOR_CLOSE(alone.features, found.features.slice(0, 1, 2));
  EXPECT_TENSOR_CLOSE(alone.logits, found.logits.slice(0, 1, 2));
}

class InceptionFile : public ::testing::Test {
 protected:
  void expect_refused(std::initializer_list<std::string_view> words) const {
    file.write(path);
    test::expect_throws<FormatError>(words, [&] { load_feature_network(path); });
  }

  io::TemporaryFolder folder;
  std::filesystem::path path = folder / "inception.safetensors";
  test::FeatureFile file;
};

TEST_F(InceptionFile, RequiresTheFirstConvolution) {
  file.metadata.emplace("halfstep_features", kAbout);
  expect_refused({path.string(), "Conv2d_1a_3x3.conv.weight: expected f32 [32, 3, 3, 3]"});
  file.tensors.emplace("Conv2d_1a_3x3.conv.weight", at::zeros({32, 1, 3, 3}));
  expect_refused({"expected f32 [32, 3, 3, 3], received f32 [32, 1, 3, 3]"});
}

TEST_F(InceptionFile, RefusesMeanAndDeviation) {
  file.metadata.emplace("halfstep_features",
                        R"({"network": "inception", "name": "n", "mean": [0.5, 0.5, 0.5]})");
  expect_refused({"mean and std: expected none"});
}

// ---- Resizing.

// 2 x + 3 y + 50 c, which bilinear interpolation reproduces at every position.
Tensor slope(const Tensor& x, const Tensor& y) {
  const Tensor c = at::arange(3, at::kDouble).view({3, 1, 1});
  return (2.0 * x.view({1, -1}) + 3.0 * y.view({-1, 1}) + 50.0 * c).unsqueeze(0);
}

Tensor positions(int64_t from, int64_t to) {
  return (at::arange(to, at::kDouble) * static_cast<double>(from) / static_cast<double>(to))
      .clamp_max(static_cast<double>(from - 1));
}

TEST(ResizeBilinearTensorflow1, OutputPixelsLieAtMultiplesOfTheScaleAndTheLastOneRepeats) {
  for (const auto& [height, width] :
       {std::pair{32, 32}, {28, 64}, {1, 5}, {350, 310}, {299, 150}}) {
    const Tensor images =
        slope(at::arange(width, at::kDouble), at::arange(height, at::kDouble)).to(at::kFloat);
    EXPECT_TENSOR_CLOSE(resize_bilinear_tensorflow1(images, 299, 299),
                        slope(positions(width, 299), positions(height, 299)));
  }
}

TEST(ResizeBilinearTensorflow1, TheSameSizeIsTheIdentity) {
  const Tensor images = at::arange(2 * 3 * 7 * 9).view({2, 3, 7, 9}).to(at::kFloat);
  EXPECT_TRUE(at::equal(resize_bilinear_tensorflow1(images, 7, 9), images));
}

}  // namespace
}  // namespace halfstep::metrics
