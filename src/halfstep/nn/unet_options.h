// The options of the official U-Net of progressive distillation (unet.py).
#ifndef HALFSTEP_NN_UNET_OPTIONS_H_
#define HALFSTEP_NN_UNET_OPTIONS_H_

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "halfstep/nn/time_embedding.h"

namespace halfstep {

struct UNetPlan;  // unet_plan.h

struct UNetOptions {
  static constexpr std::string_view kType = "unet";  // in JSON

  int64_t image_size = 32;
  int64_t in_channels = 3;
  int64_t out_channels = 3;
  int64_t ch = 128;
  int64_t emb_ch = 512;
  std::vector<int64_t> ch_mult = {1, 2, 2};
  int64_t num_res_blocks = 2;
  std::vector<int64_t> attn_resolutions = {16};
  std::optional<int64_t> num_heads = 1;
  std::optional<int64_t> head_dim;
  double dropout = 0.0;
  TimeInput time_input = TimeInput::inv_cos;
  bool resblock_resample = true;
  int64_t num_classes = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("image_size", self.image_size, "height and width of an image, pixels");
    visit("in_channels", self.in_channels, "C, channels of an image");
    visit("out_channels", self.out_channels, "C, or 2 C for x_and_eps");
    visit("ch", self.ch, "channels at full size; a multiple of 32, the number of norm groups");
    visit("emb_ch", self.emb_ch, "width of the time embedding");
    visit("ch_mult", self.ch_mult, "channels of each level in units of ch");
    visit("num_res_blocks", self.num_res_blocks,
          "residual blocks a level on the way down; one more on the way up");
    visit("attn_resolutions", self.attn_resolutions,
          "spatial sizes with attention; the middle always has it");
    visit("num_heads", self.num_heads, "attention heads; either this or head_dim");
    visit("head_dim", self.head_dim, "channels of an attention head");
    visit("dropout", self.dropout, "rate in [0, 1), in training only");
    visit("time_input", self.time_input, "what the network is told of the noise level");
    visit("resblock_resample", self.resblock_resample,
          "resample inside a residual block; false: a bare convolution");
    visit("num_classes", self.num_classes, "labels; 0 or 1: no class embedding");
  }
};

// Throws ConfigError that names the field.
void validate(const UNetOptions& options);

UNetPlan plan_of(const UNetOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_OPTIONS_H_
