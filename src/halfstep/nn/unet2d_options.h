// The options of diffusers' UNet2DModel that halfstep supports. Names, values and defaults are
// those of its unet/config.json, except image_size (sample_size there), num_classes
// (num_class_embeds), guidance_ch (UNet2DConditionModel has it as time_cond_proj_dim) and
// condition_ch (UNet2DModel counts these channels in in_channels).
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

// A level on the way down: with or without attention, and how it ends. For `attn`, downsample_type
// says how.
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
  int64_t guidance_ch = 0;
  int64_t condition_ch = 0;
  int64_t num_train_timesteps = 1000;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("image_size", self.image_size, "height and width of an image in pixels");
    visit("in_channels", self.in_channels, "the number of channels C of an image");
    visit("out_channels", self.out_channels, "C, or 2 C for x_and_eps");
    visit("block_out_channels", self.block_out_channels, "channels of each level");
    visit("down_block_types", self.down_block_types,
          "type of each level: DownBlock2D, AttnDownBlock2D or ResnetDownsampleBlock2D");
    visit("up_block_types", self.up_block_types,
          "type of each level, lowest resolution first: UpBlock2D, AttnUpBlock2D or "
          "ResnetUpsampleBlock2D");
    visit("layers_per_block", self.layers_per_block,
          "residual blocks per level on the way down; one more on the way up");
    visit("add_attention", self.add_attention, "true for attention in the middle");
    visit("attention_head_dim", self.attention_head_dim,
          "channels per attention head; null: one head");
    visit("downsample_type", self.downsample_type, "conv or resnet, for AttnDownBlock2D");
    visit("upsample_type", self.upsample_type, "conv or resnet, for AttnUpBlock2D");
    visit("downsample_padding", self.downsample_padding,
          "padding of convolutions that halve the size: 1, or 0 to pad only the end");
    visit("dropout", self.dropout, "dropout rate in [0, 1), used only in training");
    visit("norm_num_groups", self.norm_num_groups, "groups per norm");
    visit("attn_norm_num_groups", self.attn_norm_num_groups,
          "groups of the norm of the attention in the middle; null: no norm with scale_shift, "
          "otherwise norm_num_groups");
    visit("norm_eps", self.norm_eps, "the number that norms add to the variance");
    visit("resnet_time_scale_shift", self.resnet_time_scale_shift, "default or scale_shift");
    visit("time_embedding_dim", self.time_embedding_dim,
          "width of the time embedding; null: four times the channels of the first level");
    visit("freq_shift", self.freq_shift, "0 or 1: shift of the frequencies of the time embedding");
    visit("flip_sin_to_cos", self.flip_sin_to_cos,
          "true for cosines before sines in the time embedding");
    visit("num_classes", self.num_classes, "number of classes; 0 or 1: no class embedding");
    visit("guidance_ch", self.guidance_ch,
          "width of the embedding of the guidance weight; 0: the network does not take it");
    visit("condition_ch", self.condition_ch,
          "channels of the image that the network is conditioned on; 0: none");
    visit("num_train_timesteps", self.num_train_timesteps,
          "number of timesteps T; the input of the time embedding is T t - 1 at time t");
  }
};

// Throws ConfigError, naming the field, if an option is out of range or contradicts another.
void validate(const UNet2dOptions& options);

// Returns the structure of the network. The input of its time embedding at an angle is the timestep
// of that angle in `schedule` (timestep_of). Throws like validate.
UNetPlan plan_of(const UNet2dOptions& options, const ScheduleOptions& schedule);

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET2D_OPTIONS_H_
