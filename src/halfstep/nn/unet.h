// U-Nets for diffusion. Tensors are NCHW outside and channels-last inside.
//
//   emb = silu(dense1(silu(dense0(time_embedding(phi) + guidance))) + class)
//   hs = [conv_in(z, or z and the condition's image)]
//   down, for each level: `blocks` times res (and attention), then a resampling down unless the
//     level is the last; each output is also pushed onto hs
//   mid: res (and attention), res
//   up, for each level: `blocks` + 1 times res(concat(h, hs.pop())) (and attention), then a
//     resampling up unless the level is the first
//   raw = conv_out(silu(norm_out(h)))
//
// unet_walk.h has the details.
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
  // Does not fill the parameters: call initialize() or copy_parameters().
  explicit UNet(const UNetPlan& plan);
  explicit UNet(const UNetOptions& options) : UNet(plan_of(options)) {}
  UNet(const UNet&) = delete;
  UNet& operator=(const UNet&) = delete;

  // A fresh network outputs exactly 0: its conv2, proj_out and conv_out kernels are zero. So is the
  // projection of the guidance weight, which changes nothing at first.
  void initialize(uint64_t seed) override { parameters_.initialize(seed); }

  const std::vector<NamedTensor>& parameters() const override { return parameters_.named(); }
  std::unique_ptr<Network> clone() const override;
  void set_precision(Precision precision) override;
  void set_activation_checkpointing(bool on) override { activation_checkpointing_ = on; }
  std::vector<uint32_t> dropout_sites() const override;
  bool is_capturable() const override { return true; }
  void to(const at::Device& device) override;

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

  // Returns silu of the embedding of time, guidance weight and class, float32 [B, emb_ch].
  Tensor embed(const Tensor& phi, const Condition& condition, const at::Device& device) const;

  UNetPlan plan_;  // its table is on the network's device
  Precision precision_ = Precision::fp32;
  bool activation_checkpointing_ = false;
  Parameters parameters_;
  Dense dense0_;
  Dense dense1_;
  std::optional<Dense> guidance_proj_;
  std::optional<Dense> class_emb_;
  Layers layers_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_UNET_H_
