#include "halfstep/nn/network_cost.h"

#include <gtest/gtest.h>

#include "tests/nn/small_networks.h"

namespace halfstep {
namespace {

double multiply_adds(int64_t count) { return 2.0 * static_cast<double>(count); }

// The network has 1 x 8 x 8 images, one level of 32 channels, emb_ch 32, one block down and two up.
TEST(NetworkCost, EqualsATinyNetworkCountedByHand) {
  constexpr int64_t kPositions = 8 * 8;
  constexpr int64_t kPlainBlock = 2 * (32 * 32 * 9) * kPositions + 32 * 64;  // convs, temb_proj
  constexpr int64_t kUpBlock =  // 64 channels in after concatenation, 32 out, with a shortcut
      (64 * 32 * 9 + 32 * 32 * 9 + 64 * 32) * kPositions + 32 * 64;
  constexpr int64_t kAttention =  // q, k, v, proj_out; q k^T and its product with v
      4 * 32 * 32 * kPositions + 2 * kPositions * kPositions * 32;
  constexpr int64_t kEnds = 2 * (1 * 32 * 9) * kPositions;     // conv_in, conv_out
  constexpr int64_t kTimeEmbedding = 32 * 32 + 32 * 32;        // dense0, dense1
  constexpr int64_t kBlocks = 3 * kPlainBlock + 2 * kUpBlock;  // down, two in the middle; two up
  EXPECT_EQ(network_cost(test::tiny_unet()).flops,
            multiply_adds(kBlocks + kAttention + kEnds + kTimeEmbedding));
}

// On 1 x 1 images every weight is used once, and attention has one position.
TEST(NetworkCost, OfOnePositionIsOneMultiplyAddPerWeight) {
  UNetOptions options = test::tiny_unet();
  options.image_size = 1;
  options.ch_mult = {3};
  options.num_res_blocks = 2;
  options.attn_resolutions = {1};
  options.num_classes = 10;
  int64_t weights = 0;
  int64_t attention = 0;
  const UNet network(options);
  for (const NamedTensor& parameter : network.parameters()) {
    if (parameter.tensor.dim() > 1) weights += parameter.tensor.numel();
    if (parameter.name.ends_with("proj_out.bias")) attention += 2 * parameter.tensor.numel();
  }
  EXPECT_EQ(network_cost(options).flops, multiply_adds(weights + attention));
}

TEST(NetworkCost, CountsTheLevelsAndTheBareResamplers) {
  UNetOptions options = test::small_unet();
  const NetworkCost with_blocks = network_cost(options);
  options.resblock_resample = false;
  const NetworkCost bare = network_cost(options);
  // A residual block has one more 3 x 3 convolution than a bare one, and temb_proj.
  const double down = multiply_adds(32 * 32 * 9 * 4 * 4 + 64 * 64);
  const double up = multiply_adds(64 * 64 * 9 * 8 * 8 + 64 * 128);
  EXPECT_EQ(with_blocks.flops - bare.flops, down + up);
  EXPECT_GT(with_blocks.activations, bare.activations);
}

}  // namespace
}  // namespace halfstep
