#include "halfstep/nn/unet2d_options.h"

#include <ATen/core/grad_mode.h>
#include <gtest/gtest.h>

#include <functional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "tests/nn/small_networks.h"
#include "tests/support/expect_throws.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

TEST(UNet2dOptions, ErrorsNameTheField) {
  const std::vector<std::pair<std::string, std::function<void(UNet2dOptions&)>>> mistakes = {
      {"image_size", [](UNet2dOptions& o) { o.image_size = 9; }},
      {"in_channels", [](UNet2dOptions& o) { o.in_channels = 0; }},
      {"out_channels", [](UNet2dOptions& o) { o.out_channels = -1; }},
      {"block_out_channels", [](UNet2dOptions& o) { o.block_out_channels = {}; }},
      {"block_out_channels", [](UNet2dOptions& o) { o.block_out_channels.assign(70, 32); }},
      {"block_out_channels", [](UNet2dOptions& o) { o.block_out_channels[0] = 1 << 20; }},
      {"down_block_types", [](UNet2dOptions& o) { o.down_block_types.pop_back(); }},
      {"up_block_types", [](UNet2dOptions& o) { o.up_block_types.pop_back(); }},
      {"layers_per_block", [](UNet2dOptions& o) { o.layers_per_block = 0; }},
      {"attention_head_dim", [](UNet2dOptions& o) { o.attention_head_dim = 5; }},
      {"attention_head_dim", [](UNet2dOptions& o) { o.attention_head_dim = 0; }},
      {"downsample_padding", [](UNet2dOptions& o) { o.downsample_padding = 2; }},
      {"dropout", [](UNet2dOptions& o) { o.dropout = 1.0; }},
      {"norm_num_groups", [](UNet2dOptions& o) { o.norm_num_groups = 0; }},
      {"norm_num_groups", [](UNet2dOptions& o) { o.norm_num_groups = 7; }},
      {"attn_norm_num_groups", [](UNet2dOptions& o) { o.attn_norm_num_groups = 5; }},
      {"norm_eps", [](UNet2dOptions& o) { o.norm_eps = 0.0; }},
      {"time_embedding_dim", [](UNet2dOptions& o) { o.time_embedding_dim = 0; }},
      {"freq_shift", [](UNet2dOptions& o) { o.freq_shift = 2; }},
      {"num_classes", [](UNet2dOptions& o) { o.num_classes = -1; }},
      {"num_train_timesteps", [](UNet2dOptions& o) { o.num_train_timesteps = 0; }}};
  EXPECT_NO_THROW(validate(test::small_unet2d()));
  for (const auto& [field, make_mistake] : mistakes) {
    SCOPED_TRACE(field);
    UNet2dOptions options = test::small_unet2d();
    make_mistake(options);
    test::expect_throws<ConfigError>({"UNet2dOptions", field}, [&] { validate(options); });
  }
}

TEST(UNet2dOptions, ClassEmbeddingIsATableWithoutABias) {
  UNet2dOptions options = test::small_unet2d();
  options.num_classes = 3;
  std::set<std::string> names;
  const UNet network(plan_of(options, CosineSchedule{}));
  for (const NamedTensor& parameter : network.parameters()) names.insert(parameter.name);
  EXPECT_TRUE(names.contains("class_emb.weight"));
  EXPECT_FALSE(names.contains("class_emb.bias"));
}

// Heads must divide the channels only of the levels that have attention.
TEST(UNet2dOptions, HeadsDivideTheChannelsOfLevelsWithAttention) {
  UNet2dOptions options = test::small_unet2d();
  options.block_out_channels = {32, 48};
  options.attention_head_dim = 48;
  EXPECT_NO_THROW(validate(options));
  options.down_block_types[0] = DownBlock::attn;
  test::expect_throws<ConfigError>({"attention_head_dim", "32"}, [&] { validate(options); });
}

TEST(UNet2dOptions, NetworkInBf16IsNearFp32) {
  const at::NoGradGuard no_grad;
  const auto network = test::random_unet(plan_of(test::small_unet2d(), LinearBetaSchedule{}));
  const Tensor z = test::random_z(test::small_unet(), 4);
  const Tensor phi =
      Schedule(LinearBetaSchedule{}).phi(test::float64_vector({0.01, 0.3, 0.7, 1.0}));
  const Tensor fp32 = network->forward(z, phi, {});
  network->set_precision(Precision::bf16);
  EXPECT_TENSOR_NEAR(network->forward(z, phi, {}), fp32,
                     test::kBFloat16NetworkTolerance * test::scale_of(fp32));
}

}  // namespace
}  // namespace halfstep
