#include "halfstep/convert/official_as_unet2d.h"

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/nn/time_embedding.h"

namespace halfstep {
namespace {

constexpr double kOfficialEps = 1e-6;

[[noreturn]] void fail(const std::string& what) { throw ConfigError("diffusers", what); }

bool attends(const UNetOptions& options, int64_t size) {
  const auto& sizes = options.attn_resolutions;
  return std::find(sizes.begin(), sizes.end(), size) != sizes.end();
}

// Returns the channels per head, which must be the same at all levels with attention; none: one
// head.
std::optional<int64_t> head_dim_of(const UNetOptions& options) {
  if (options.head_dim) return options.head_dim;
  if (*options.num_heads == 1) return std::nullopt;
  const int64_t channels = options.ch * options.ch_mult.back();  // of the middle
  int64_t size = options.image_size;
  for (const int64_t mult : options.ch_mult) {
    if (attends(options, size) && options.ch * mult != channels) {
      fail(
          "num_heads: expected heads of one size, because diffusers has one attention_head_dim; "
          "received " +
          std::to_string(*options.num_heads) + " heads of " + std::to_string(options.ch * mult) +
          " and of " + std::to_string(channels) + " channels");
    }
    size /= 2;
  }
  return channels / *options.num_heads;
}

UNet2dOptions options_of(const UNetOptions& official) {
  if (official.ch_mult.front() != 1) {
    fail("ch_mult: expected 1 for the first level, because of conv_in in diffusers, received " +
         std::to_string(official.ch_mult.front()));
  }
  UNet2dOptions options{
      .image_size = official.image_size,
      .in_channels = official.in_channels,
      .out_channels = official.out_channels,
      .block_out_channels = {},
      .down_block_types = {},
      .up_block_types = {},
      .layers_per_block = official.num_res_blocks,
      .attention_head_dim = head_dim_of(official),
      .downsample_type = official.resblock_resample ? ResampleType::resnet : ResampleType::conv,
      .upsample_type = official.resblock_resample ? ResampleType::resnet : ResampleType::conv,
      .downsample_padding = 0,
      .dropout = official.dropout,
      .attn_norm_num_groups = 32,
      .norm_eps = kOfficialEps,
      .resnet_time_scale_shift = TimeScaleShift::scale_shift,
      .freq_shift = 1,
      .flip_sin_to_cos = false,
      .num_classes = official.num_classes};
  if (official.emb_ch != 4 * official.ch) options.time_embedding_dim = official.emb_ch;
  int64_t size = official.image_size;
  for (const int64_t mult : official.ch_mult) {
    options.block_out_channels.push_back(official.ch * mult);
    const bool attend = attends(official, size);
    const bool resnet = official.resblock_resample;
    options.down_block_types.push_back(attend   ? DownBlock::attn
                                       : resnet ? DownBlock::resnet
                                                : DownBlock::plain);
    options.up_block_types.insert(options.up_block_types.begin(), attend   ? UpBlock::attn
                                                                  : resnet ? UpBlock::resnet
                                                                           : UpBlock::plain);
    size /= 2;
  }
  return options;
}

// Returns dense0's weight for a time input that is less by 1.
Tensor turned(const Tensor& weight) {
  const int64_t ch = weight.size(1);
  const Tensor pair = sinusoid(at::ones({1}, at::kDouble), {.ch = ch}).to(at::kDouble);
  const Tensor sine = pair.narrow(1, 0, ch / 2);
  const Tensor cosine = pair.narrow(1, ch / 2, ch / 2);
  const Tensor of_sine = weight.narrow(1, 0, ch / 2).to(at::kDouble);
  const Tensor of_cosine = weight.narrow(1, ch / 2, ch / 2).to(at::kDouble);
  return at::cat({of_sine * cosine - of_cosine * sine, of_sine * sine + of_cosine * cosine}, 1)
      .to(at::kFloat);
}

}  // namespace

Model official_as_unet2d(const Model& official) {
  const auto& options = std::get<UNetOptions>(official.spec().network);
  if (options.time_input != TimeInput::inv_cos) {
    fail("time_input: expected inv_cos, because networks of diffusers take a time, received " +
         std::string(name_of(options.time_input)));
  }
  if (!std::holds_alternative<CosineSchedule>(official.spec().schedule))
    fail("schedule: expected cosine, the only one whose angle is proportional to time");
  ModelSpec spec = official.spec();
  spec.network = options_of(options);
  std::unique_ptr<Network> network = make_network(spec);

  std::map<std::string, Tensor> weights;
  for (const auto& [name, tensor] : official.network().parameters())
    weights.emplace(name, tensor.detach().cpu());
  weights["dense0.weight"] = turned(weights["dense0.weight"]);
  if (weights.contains("class_emb.bias"))
    weights["dense1.bias"] = weights["dense1.bias"] + weights["class_emb.bias"];
  {
    const ParameterEditor editor(*network);
    for (const NamedTensor& parameter : editor.parameters())
      parameter.tensor.copy_(weights.at(parameter.name));
  }
  return {std::move(spec), std::move(network)};
}

}  // namespace halfstep
