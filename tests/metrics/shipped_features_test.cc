// The feature networks of models/features that are TorchScript.
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "halfstep/metrics/feature_network.h"
#include "tests/support/tolerance.h"

namespace halfstep::metrics {
namespace {

// Returns uint8 [1, channels, side, side]: pixel i in C order is 37 i mod 256.
Tensor pattern(int64_t channels, int64_t side) {
  return at::arange(channels * side * side)
      .mul(37)
      .remainder(256)
      .to(at::kByte)
      .view({1, channels, side, side});
}

// The logits of pattern(), as PyTorch computes them. They depend on every feature.
const struct {
  std::string name;
  int64_t channels, side;
  std::vector<double> logits;
} kNetworks[] = {{"vgg-fashion",
                  1,
                  28,
                  {-3.150817, 6.021410, -2.240606, -0.466543, 1.043963, -2.829496, 0.328466,
                   -2.775716, 4.377983, -0.136040}},
                 {"vgg-cifar10",
                  3,
                  32,
                  {1.061747, -8.628056, 5.448604, -0.538202, 10.282674, -4.235737, 9.108407,
                   -8.092175, 4.493714, -9.152146}}};

TEST(ShippedFeatures, ComputeWhatPyTorchComputes) {
  for (const auto& [name, channels, side, logits] : kNetworks) {
    SCOPED_TRACE(name);
    const auto network = load_feature_network(std::filesystem::path(HALFSTEP_SOURCE_DIR) /
                                              "models/features" / (name + ".pt"));
    EXPECT_EQ(network->spec().name, name);
    EXPECT_EQ(network->spec().num_features, 128);
    EXPECT_EQ(network->spec().num_logits, 10);
    EXPECT_EQ(network->spec().in_channels, channels);
    EXPECT_TENSOR_CLOSE((*network)(pattern(channels, side)).logits,
                        at::tensor(logits).unsqueeze(0).to(at::kFloat));
  }
}

}  // namespace
}  // namespace halfstep::metrics
