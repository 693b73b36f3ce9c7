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
#include <variant>
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

  // What one activation checkpoint covers: a residual block, with the attention that may follow
  // it, or a bare convolution that changes the size.
  struct Unit {
    std::variant<ResnetBlock, Conv> body;
    std::optional<AttentionBlock> attention;
    bool pops = false;    // its input is concatenated with the last skip
    bool pushes = false;  // its output becomes a skip

    // `skip` is undefined where the unit does not pop.
    Tensor operator()(const Tensor& h, const Tensor& skip, const Tensor& emb,
                      const std::optional<DropoutKey>& dropout) const;
  };
  struct Layers {
    std::optional<Conv> conv_in;  // its output is the first skip
    std::vector<Unit> trunk;      // in the order they run
    std::optional<NormConv> conv_out;
  };
  class Builder;  // the visitor that makes them

  // Returns silu of the embedding of time and class, float32 [B, emb_ch].
  Tensor embed(const Tensor& phi, const Tensor& labels, const at::Device& device) const;

  UNetPlan plan_;
  Precision precision_ = Precision::fp32;
  bool activation_checkpointing_ = false;
  Parameters parameters_;
  Dense dense0_;
  Dense dense1_;
  std::optional<Dense> class_emb_;
  Layers layers_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_H_
