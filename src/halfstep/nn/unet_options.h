// The options of the U-Net of the official code of progressive distillation (unet.py).
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
  int64_t guidance_ch = 0;
  int64_t condition_ch = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("image_size", self.image_size, "height and width of an image in pixels");
    visit("in_channels", self.in_channels, "the number of channels C of an image");
    visit("out_channels", self.out_channels, "C, or 2 C for x_and_eps");
    visit("ch", self.ch, "channels at full size, a multiple of 32 (the number of norm groups)");
    visit("emb_ch", self.emb_ch, "width of the time embedding");
    visit("ch_mult", self.ch_mult, "channels of each level in units of ch");
    visit("num_res_blocks", self.num_res_blocks,
          "residual blocks per level on the way down; one more on the way up");
    visit("attn_resolutions", self.attn_resolutions,
          "spatial sizes with attention; the middle always has attention");
    visit("num_heads", self.num_heads, "number of attention heads; set either this or head_dim");
    visit("head_dim", self.head_dim, "channels per attention head");
    visit("dropout", self.dropout, "dropout rate in [0, 1), used only in training");
    visit("time_input", self.time_input, "input of the time embedding: inv_cos, linear or sigmoid");
    visit("resblock_resample", self.resblock_resample,
          "true to resample inside a residual block, false for a bare convolution");
    visit("num_classes", self.num_classes, "number of classes; 0 or 1: no class embedding");
    visit("guidance_ch", self.guidance_ch,
          "width of the embedding of the guidance weight; 0: the network does not take it");
    visit("condition_ch", self.condition_ch,
          "channels of the image that the network is conditioned on; 0: none");
  }
};

// Throws ConfigError, naming the field, if an option is out of range or contradicts another.
void validate(const UNetOptions& options);

// Returns the structure of the network. Throws like validate.
UNetPlan plan_of(const UNetOptions& options);

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_OPTIONS_H_
