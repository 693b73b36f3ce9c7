#include "halfstep/nn/unet2d_options.h"

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/nn/time_embedding.h"
#include "halfstep/nn/unet_plan.h"

namespace halfstep {
namespace {

constexpr double kSmallestEps = 1e-12;

[[noreturn]] void fail(const std::string& field, const std::string& expected,
                       const std::string& received) {
  throw ConfigError("UNet2dOptions", field + ": expected " + expected + ", received " + received);
}

void require_size(const char* field, int64_t value, int64_t most = kMaxSize, int64_t least = 1) {
  if (value >= least && value <= most) return;
  fail(field, std::to_string(least) + " to " + std::to_string(most), std::to_string(value));
}

UNetPlan::Resampler resampler_of(bool plain, bool resnet, ResampleType attn) {
  if (plain) return UNetPlan::Resampler::conv;
  return resnet || attn == ResampleType::resnet ? UNetPlan::Resampler::block
                                                : UNetPlan::Resampler::conv;
}

UNetPlan::Level level_of(const UNet2dOptions& options, size_t level) {
  const DownBlock down = options.down_block_types[level];
  const UpBlock up = options.up_block_types[options.up_block_types.size() - 1 - level];
  return {.channels = options.block_out_channels[level],
          .attend_down = down == DownBlock::attn,
          .attend_up = up == UpBlock::attn,
          .down = resampler_of(down == DownBlock::plain, down == DownBlock::resnet,
                               options.downsample_type),
          .up = resampler_of(up == UpBlock::plain, up == UpBlock::resnet, options.upsample_type)};
}

void validate_levels(const UNet2dOptions& options) {
  const size_t levels = options.block_out_channels.size();
  if (levels < 1 || levels > kMaxLevels)
    fail("block_out_channels", "1 to " + std::to_string(kMaxLevels), std::to_string(levels));
  if (options.down_block_types.size() != levels || options.up_block_types.size() != levels) {
    fail("down_block_types and up_block_types",
         std::to_string(levels) + " each, as many as block_out_channels",
         std::to_string(options.down_block_types.size()) + " and " +
             std::to_string(options.up_block_types.size()));
  }
  const int64_t shrink = int64_t{1} << (levels - 1);
  if (options.image_size % shrink != 0) {
    fail("image_size",
         "a multiple of " + std::to_string(shrink) + " for " + std::to_string(levels) + " levels",
         std::to_string(options.image_size));
  }
}

// The groups of norms and the heads of attention must divide the channels.
void validate_channels(const UNet2dOptions& options) {
  require_size("norm_num_groups", options.norm_num_groups);
  const int64_t mid_groups = options.attn_norm_num_groups.value_or(options.norm_num_groups);
  require_size("attn_norm_num_groups", mid_groups);
  const int64_t head_dim = options.attention_head_dim.value_or(1);
  require_size("attention_head_dim", head_dim);
  const auto require_divisor = [](const char* field, int64_t divisor, int64_t channels) {
    if (channels % divisor == 0) return;
    fail(field, "a divisor of " + std::to_string(channels) + " channels", std::to_string(divisor));
  };
  for (size_t l = 0; l < options.block_out_channels.size(); ++l) {
    const int64_t channels = options.block_out_channels[l];
    require_size("block_out_channels", channels);
    require_divisor("norm_num_groups", options.norm_num_groups, channels);
    const UNetPlan::Level level = level_of(options, l);
    if (level.attend_down || level.attend_up)
      require_divisor("attention_head_dim", head_dim, channels);
  }
  const int64_t channels = options.block_out_channels.back();
  if (options.add_attention) require_divisor("attention_head_dim", head_dim, channels);
  require_divisor("attn_norm_num_groups", mid_groups, channels);
}

}  // namespace

void validate(const UNet2dOptions& options) {
  require_size("image_size", options.image_size);
  require_size("in_channels", options.in_channels);
  require_size("out_channels", options.out_channels);
  require_size("layers_per_block", options.layers_per_block, kMaxBlocks);
  validate_levels(options);
  validate_channels(options);
  if (options.time_embedding_dim) require_size("time_embedding_dim", *options.time_embedding_dim);
  require_size("downsample_padding", options.downsample_padding, /*most=*/1, /*least=*/0);
  // At least two frequencies, so that nothing is divided by zero.
  require_size("freq_shift", options.freq_shift, /*most=*/1, /*least=*/0);
  require_size("block_out_channels: the first", options.block_out_channels.front(), kMaxSize,
               /*least=*/4);
  require_guidance_ch("UNet2dOptions", options.guidance_ch);
  require_size("condition_ch", options.condition_ch, kMaxSize, /*least=*/0);
  require_size("num_classes", options.num_classes, kMaxClasses, /*least=*/0);
  require_size("num_train_timesteps", options.num_train_timesteps, kMaxClasses);
  if (!(options.dropout >= 0.0 && options.dropout < 1.0))
    fail("dropout", "a rate in [0, 1)", std::to_string(options.dropout));
  if (!(options.norm_eps >= kSmallestEps && options.norm_eps <= 1.0))
    fail("norm_eps", "1e-12 to 1", std::to_string(options.norm_eps));
}

UNetPlan plan_of(const UNet2dOptions& options, const ScheduleOptions& schedule) {
  validate(options);
  const int64_t ch = options.block_out_channels.front();
  const bool scale_shift = options.resnet_time_scale_shift == TimeScaleShift::scale_shift;
  const GroupNormOptions norm{.groups = options.norm_num_groups, .epsilon = options.norm_eps};
  UNetPlan plan{.image_size = options.image_size,
                .in_channels = options.in_channels,
                .condition_ch = options.condition_ch,
                .out_channels = options.out_channels,
                .ch = ch,
                .blocks = options.layers_per_block,
                .attend_mid = options.add_attention,
                .head_dim = options.attention_head_dim,
                .dropout = options.dropout,
                .time = options.resnet_time_scale_shift,
                .norm = norm,
                .mid_norm = norm,
                .symmetric = options.downsample_padding == 1,
                .emb_ch = options.time_embedding_dim.value_or(4 * ch),
                .guidance_ch = options.guidance_ch,
                .num_classes = options.num_classes,
                .class_bias = false};
  if (options.attn_norm_num_groups) {
    plan.mid_norm->groups = *options.attn_norm_num_groups;
  } else if (scale_shift) {
    plan.mid_norm.reset();
  }
  for (size_t l = 0; l < options.block_out_channels.size(); ++l)
    plan.levels.push_back(level_of(options, l));
  const SinusoidOptions sinusoid_options{.ch = ch,
                                         .freq_shift = options.freq_shift,
                                         .cos_first = options.flip_sin_to_cos,
                                         .float32 = true};
  plan.time_table = Schedule(schedule).nodes();
  plan.time_embedding = [timesteps = options.num_train_timesteps, sinusoid_options](
                            const Tensor& phi, const Tensor& nodes) {
    return sinusoid(timestep_of(phi, nodes, timesteps), sinusoid_options);
  };
  return plan;
}

}  // namespace halfstep
