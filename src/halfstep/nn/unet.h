// U-Nets for diffusion, NCHW outside, channels-last inside.
//
//   emb = silu(dense1(silu(dense0(time_embedding(phi)))) + class)
//   hs = [conv_in(z)]
//   down, level by level:
//     `blocks` times res (, attention); a resample down but for the last level; each onto hs
//   mid: res (, attention), res
//   up, level by level:
//     `blocks` + 1 times res(concat(h, hs.pop())) (, attention); a resample up but at the top
//   conv_out(silu(norm_out(h)))
#ifndef HALFSTEP_NN_UNET_H_
#define HALFSTEP_NN_UNET_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/nn/layers.h"
#include "halfstep/nn/network.h"
#include "halfstep/nn/parameters.h"
#include "halfstep/nn/unet_options.h"
#include "halfstep/nn/unet_plan.h"

namespace halfstep {

class UNet final : public Network {
 public:
  // Parameters are not filled: `initialize` or copy_parameters does.
  explicit UNet(const UNetPlan& plan);
  explicit UNet(const UNetOptions& options) : UNet(plan_of(options)) {}
  UNet(const UNet&) = delete;
  UNet& operator=(const UNet&) = delete;

  // A fresh network's conv2, proj_out and conv_out kernels are zero: it outputs exactly 0.
  void initialize(uint64_t seed) override { parameters_.initialize(seed); }

  const std::vector<NamedTensor>& parameters() const override { return parameters_.named(); }
  std::unique_ptr<Network> clone() const override;
  void set_precision(Precision precision) override;
  void set_activation_checkpointing(bool on) override { activation_checkpointing_ = on; }
  void to(const at::Device& device) override { parameters_.to(device); }

 private:
  Tensor forward_impl(const Tensor& z, const Tensor& phi, const Condition& condition,
                      const ForwardOptions& options) const override;
  void parameters_changed() override { parameters_.changed(); }

  // A residual block with what may follow it.
  struct Stage {
    ResnetBlock block;
    std::optional<AttentionBlock> attention;
  };
  // A change of size between levels.
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

  Trunk make_trunk();
  ResnetBlock make_block(const std::string& name, int64_t in, int64_t out, Resample how);
  AttentionBlock make_attention(const std::string& name, int64_t channels,
                                const std::optional<GroupNormOptions>& norm);
  // Block and attention `index` of a level.
  Stage make_stage(const std::string& level, int64_t index, int64_t in, int64_t out, bool attend);
  Resampler make_resampler(const std::string& name, int64_t channels, UNetPlan::Resampler kind,
                           Resample how);
  // silu of the embedding of time and class, float32 [B, emb_ch]
  Tensor embed(const Tensor& phi, const Tensor& labels, const at::Device& device) const;

  UNetPlan plan_;
  Precision precision_ = Precision::fp32;
  bool activation_checkpointing_ = false;
  Parameters parameters_;
  Dense dense0_;
  Dense dense1_;
  std::optional<Dense> class_emb_;
  Conv conv_in_;
  Trunk trunk_;
  NormConv conv_out_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_H_
