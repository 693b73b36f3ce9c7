// The options of diffusers' UNet2DModel, as far as halfstep has them: names, words and defaults are
// those of its unet/config.json, but for image_size (there sample_size) and num_classes
// (num_class_embeds).
#ifndef HALFSTEP_NN_UNET2D_OPTIONS_H_
#define HALFSTEP_NN_UNET2D_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/diffusion/schedule.h"
#include "halfstep/nn/time_embedding.h"

namespace halfstep {

struct UNetPlan;  // unet_plan.h

// A level of the way down: with attention or without, and how it ends. The resampling of attn is
// downsample_type's.
enum class DownBlock { plain, attn, resnet };

template <>
struct EnumNames<DownBlock> {
  static constexpr auto kNames = std::to_array<std::pair<DownBlock, std::string_view>>(
      {{DownBlock::plain, "DownBlock2D"},
       {DownBlock::attn, "AttnDownBlock2D"},
       {DownBlock::resnet, "ResnetDownsampleBlock2D"}});
};

enum class UpBlock { plain, attn, resnet };

template <>
struct EnumNames<UpBlock> {
  static constexpr auto kNames = std::to_array<std::pair<UpBlock, std::string_view>>(
      {{UpBlock::plain, "UpBlock2D"},
       {UpBlock::attn, "AttnUpBlock2D"},
       {UpBlock::resnet, "ResnetUpsampleBlock2D"}});
};

enum class ResampleType { conv, resnet };

template <>
struct EnumNames<ResampleType> {
  static constexpr auto kNames = std::to_array<std::pair<ResampleType, std::string_view>>(
      {{ResampleType::conv, "conv"}, {ResampleType::resnet, "resnet"}});
};

struct UNet2dOptions {
  static constexpr std::string_view kType = "unet2d";  // in JSON

  int64_t image_size = 32;
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  std::vector<int64_t> block_out_channels = {224, 448, 672, 896};
  std::vector<DownBlock> down_block_types = {DownBlock::plain, DownBlock::attn, DownBlock::attn,
                                             DownBlock::attn};
  std::vector<UpBlock> up_block_types = {UpBlock::attn, UpBlock::attn, UpBlock::attn,
                                         UpBlock::plain};
  int64_t layers_per_block = 2;
  bool add_attention = true;
  std::optional<int64_t> attention_head_dim = 8;
  ResampleType downsample_type = ResampleType::conv;
  ResampleType upsample_type = ResampleType::conv;
  int64_t downsample_padding = 1;
  double dropout = 0.0;
  int64_t norm_num_groups = 32;
  std::optional<int64_t> attn_norm_num_groups;
  double norm_eps = 1e-5;
  TimeScaleShift resnet_time_scale_shift = TimeScaleShift::shift;
  std::optional<int64_t> time_embedding_dim;
  int64_t freq_shift = 0;
  bool flip_sin_to_cos = true;
  int64_t num_classes = 0;
  int64_t num_train_timesteps = 1000;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("image_size", self.image_size, "height and width of an image, pixels");
    visit("in_channels", self.in_channels, "C, channels of an image");
    visit("out_channels", self.out_channels, "C, or 2 C for x_and_eps");
    visit("block_out_channels", self.block_out_channels, "channels of each level");
    visit("down_block_types", self.down_block_types,
          "a level each: DownBlock2D, AttnDownBlock2D, ResnetDownsampleBlock2D");
    visit("up_block_types", self.up_block_types,
          "from the last level up: UpBlock2D, AttnUpBlock2D, ResnetUpsampleBlock2D");
    visit("layers_per_block", self.layers_per_block,
          "residual blocks a level on the way down; one more on the way up");
    visit("add_attention", self.add_attention, "attention in the middle");
    visit("attention_head_dim", self.attention_head_dim,
          "channels of an attention head, or null: one head");
    visit("downsample_type", self.downsample_type, "conv or resnet, of AttnDownBlock2D");
    visit("upsample_type", self.upsample_type, "conv or resnet, of AttnUpBlock2D");
    visit("downsample_padding", self.downsample_padding,
          "of a halving convolution: 1, or 0: a row and a column after the image only");
    visit("dropout", self.dropout, "rate in [0, 1), in training only");
    visit("norm_num_groups", self.norm_num_groups, "groups of a norm");
    visit("attn_norm_num_groups", self.attn_norm_num_groups,
          "groups of the norm of the middle's attention, or null: with scale_shift it has no norm, "
          "else norm_num_groups");
    visit("norm_eps", self.norm_eps, "added to a norm's variance");
    visit("resnet_time_scale_shift", self.resnet_time_scale_shift, "default or scale_shift");
    visit("time_embedding_dim", self.time_embedding_dim,
          "width of the time embedding, or null: four times the first level's channels");
    visit("freq_shift", self.freq_shift, "0 or 1: see sinusoid");
    visit("flip_sin_to_cos", self.flip_sin_to_cos, "cosines first");
    visit("num_classes", self.num_classes, "labels; 0 or 1: no class embedding");
    visit("num_train_timesteps", self.num_train_timesteps,
          "T: the network is told T t - 1 of a time t");
  }
};

// Throws ConfigError that names the field.
void validate(const UNet2dOptions& options);

// The network is told of an angle by the timestep that it has in this schedule.
UNetPlan plan_of(const UNet2dOptions& options, const ScheduleOptions& schedule);

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET2D_OPTIONS_H_
