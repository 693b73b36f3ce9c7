// The official U-Net of progressive distillation (unet.py), NCHW outside, channels-last inside.
//
//   hs = [conv_in(z)]
//   down, level by level:
//     num_res_blocks times res (, attention); a resample down but for the last level; each onto hs
//   mid: res, attention, res
//   up, level by level:
//     num_res_blocks + 1 times res(concat(h, hs.pop())) (, attention); a resample up but at the top
//   conv_out(silu(norm_out(h)))
#ifndef HALFSTEP_NN_UNET_H_
#define HALFSTEP_NN_UNET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/nn/blocks.h"
#include "halfstep/nn/layers.h"
#include "halfstep/nn/network.h"
#include "halfstep/nn/parameters.h"

namespace halfstep {

// What the network is told of phi, from its log-SNR clamped to [-20, 20]:
//   inv_cos phi / (pi/2);  linear (logsnr + 10) / 20;  sigmoid 1 / (1 + exp(-logsnr))
enum class TimeInput { inv_cos, linear, sigmoid };

template <>
struct EnumNames<TimeInput> {
  static constexpr auto kNames =
      std::to_array<std::pair<TimeInput, std::string_view>>({{TimeInput::inv_cos, "inv_cos"},
                                                             {TimeInput::linear, "linear"},
                                                             {TimeInput::sigmoid, "sigmoid"}});
};

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

class UNet final : public Network {
 public:
  // Parameters are not filled: `initialize` or copy_parameters does.
  explicit UNet(const UNetOptions& options);
  UNet(const UNet&) = delete;
  UNet& operator=(const UNet&) = delete;

  // A fresh network's conv2, proj_out and conv_out kernels are zero: it outputs exactly 0.
  void initialize(uint64_t seed) const override { parameters_.initialize(seed); }

  Tensor forward(const Tensor& z, const Tensor& phi, const Condition& condition) const override;
  const std::vector<NamedTensor>& parameters() const override { return parameters_.named(); }
  void parameters_changed() const override { parameters_.changed(); }
  std::unique_ptr<Network> clone() const override;
  void set_precision(Precision precision) override;
  void to(const at::Device& device) override { parameters_.to(device); }

  const UNetOptions& options() const { return options_; }

 private:
  // A residual block with what may follow it.
  struct Stage {
    ResnetBlock block;
    std::optional<AttentionBlock> attention;
  };
  // A change of size between levels: a residual block, or the bare convolution of older networks.
  struct Resampler {
    std::optional<ResnetBlock> block;
    std::optional<Conv> conv;
  };
  struct Level {
    std::vector<Stage> stages;
    std::optional<Resampler> resampler;  // to the next level
  };
  struct Trunk {
    std::vector<Level> down;
    std::vector<Stage> mid;
    std::vector<Level> up;  // in the order they run: lowest resolution first
  };

  // The trunk's layers, and the channels that leave it.
  Trunk make_trunk();
  Resampler make_resampler(const std::string& name, int64_t channels, Resample how);
  Stage make_stage(const std::string& level, const std::string& block, const std::string& attention,
                   int64_t in, int64_t out, bool attend);
  // silu of the embedding of time and class, float32 [B, emb_ch]
  Tensor embed(const Tensor& phi, const Tensor& labels, const at::Device& device) const;

  UNetOptions options_;
  Precision precision_ = Precision::fp32;
  Parameters parameters_;
  Dense dense0_;
  Dense dense1_;
  std::optional<Dense> class_emb_;
  Conv conv_in_;
  Trunk trunk_;
  NormConv conv_out_;
};

// The sinusoid of the time input [B, ch]: with tau = 1000 input and f_k = 10000^(-k / (ch/2 - 1)):
// sin(tau f_k), then cos(tau f_k); a zero column where ch is odd. Computed in float64, returned in
// float32.
Tensor time_embedding(const Tensor& phi, TimeInput time_input, int64_t ch);

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_H_
