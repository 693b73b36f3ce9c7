#include "halfstep/nn/activation_checkpoint.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <vector>

#include "tests/nn/small_networks.h"

namespace halfstep {
namespace {

struct Gradients {
  Tensor raw;
  std::vector<Tensor> parts;
};

// Returns output and gradients of a network with resampling both ways, attention, skips and
// dropout.
Gradients gradients(bool checkpointing, Precision precision) {
  UNetOptions options = test::small_unet();
  options.dropout = 0.3;
  const auto network = test::random_unet(options);
  network->set_precision(precision);
  network->set_activation_checkpointing(checkpointing);
  for (const NamedTensor& parameter : network->parameters()) parameter.tensor.requires_grad_(true);
  const ForwardOptions dropping{.dropout = DropoutKey{.seed = 3, .update = 5}};
  Gradients result;
  result.raw = network->forward(test::random_z(options, 3), test::spread_angles(3), {}, dropping);
  result.raw.square().sum().backward();
  for (const NamedTensor& parameter : network->parameters())
    result.parts.push_back(parameter.tensor.grad());
  return result;
}

class ActivationCheckpointing : public ::testing::TestWithParam<Precision> {};

TEST_P(ActivationCheckpointing, LeavesOutputAndGradientsTheSameBits) {
  const Gradients kept = gradients(false, GetParam());
  const Gradients again = gradients(true, GetParam());
  EXPECT_TRUE(at::equal(kept.raw, again.raw));
  ASSERT_EQ(kept.parts.size(), again.parts.size());
  for (size_t i = 0; i < kept.parts.size(); ++i) {
    ASSERT_TRUE(kept.parts[i].defined());
    EXPECT_TRUE(at::equal(kept.parts[i], again.parts[i])) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, ActivationCheckpointing,
                         ::testing::Values(Precision::fp32, Precision::bf16));

TEST(Checkpointed, ComputesAgainOncePerBackwardPass) {
  int64_t computed = 0;
  const Block block = [&](const Tensor& h, const Tensor& skip, const Tensor& emb) {
    ++computed;
    EXPECT_FALSE(skip.defined());
    return h * emb;
  };
  const Tensor h = at::full({2}, 3.0).requires_grad_(true);
  const Tensor emb = at::full({2}, 5.0).requires_grad_(true);
  const Tensor y = checkpointed(block, h, {}, emb);
  EXPECT_EQ(computed, 1);
  y.sum().backward();
  EXPECT_EQ(computed, 2);
  EXPECT_TRUE(at::equal(h.grad(), emb.detach()));
  EXPECT_TRUE(at::equal(emb.grad(), h.detach()));
}

}  // namespace
}  // namespace halfstep
