#include "halfstep/nn/unet_walk.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/nn/small_networks.h"

namespace halfstep {
namespace {

// Records the layers, and checks that each continues from the one before.
struct Recorder {
  std::vector<std::string> lines;
  std::vector<int64_t> stack;
  int64_t channels = 0;
  int64_t size = 0;

  void layer(const ConvSite& site) {
    EXPECT_EQ(site.in, channels) << site.name;
    EXPECT_EQ(site.size_in, size) << site.name;
    channels = site.out;
    size = site.size_out;
    lines.push_back(site.name + " " + std::to_string(site.in) + " -> " + std::to_string(site.out) +
                    " at " + std::to_string(site.size_out));
  }
  void conv_in(const ConvSite& site) {
    channels = site.in;
    size = site.size_in;
    layer(site);
  }
  void push() { stack.push_back(channels); }
  void pop(int64_t skip) {
    ASSERT_FALSE(stack.empty());
    EXPECT_EQ(skip, stack.back());
    stack.pop_back();
    channels += skip;
  }
  void residual(const ResidualSite& site) { layer(site); }
  void attention(const AttentionSite& site) {
    EXPECT_EQ(site.channels, channels);
    EXPECT_EQ(site.size, size);
    lines.push_back(site.name);
  }
  void resample(const ConvSite& site) { layer(site); }
  void conv_out(const ConvSite& site) { layer(site); }
};

TEST(UNetWalk, VisitsTheLayersOfASmallNetworkInOrder) {
  Recorder recorder;
  walk_unet(plan_of(test::small_unet()), recorder);
  const std::vector<std::string> expected = {"conv_in 3 -> 32 at 8",
                                             "down_0.block_0 32 -> 32 at 8",
                                             "down_0.downsample 32 -> 32 at 4",
                                             "down_1.block_0 32 -> 64 at 4",
                                             "down_1.attn_0",
                                             "mid.block_1 64 -> 64 at 4",
                                             "mid.attn_1",
                                             "mid.block_2 64 -> 64 at 4",
                                             "up_1.block_0 128 -> 64 at 4",
                                             "up_1.attn_0",
                                             "up_1.block_1 96 -> 64 at 4",
                                             "up_1.attn_1",
                                             "up_1.upsample 64 -> 64 at 8",
                                             "up_0.block_0 96 -> 32 at 8",
                                             "up_0.block_1 64 -> 32 at 8",
                                             "conv_out 32 -> 3 at 8"};
  EXPECT_EQ(recorder.lines, expected);
  EXPECT_TRUE(recorder.stack.empty());
}

TEST(UNetWalk, UsesEverySkipOnce) {
  UNetOptions options = test::small_unet();
  options.ch_mult = {1, 2, 3, 1};
  options.num_res_blocks = 3;
  options.resblock_resample = false;
  Recorder recorder;
  walk_unet(plan_of(options), recorder);
  EXPECT_TRUE(recorder.stack.empty());
  EXPECT_EQ(recorder.size, options.image_size);
}

}  // namespace
}  // namespace halfstep
