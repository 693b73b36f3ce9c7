#include "halfstep/nn/blocks.h"

#include "halfstep/core/random.h"
#include "halfstep/nn/kernels/attention.h"

namespace halfstep {
namespace {

GroupNormOptions with(GroupNormOptions norm, Activation activation) {
  norm.activation = activation;
  return norm;
}

std::variant<NormConv, Conv> make_qkv(Parameters& parameters, const std::string& name,
                                      const AttentionBlock::Options& options) {
  const ConvOptions conv{
      .in = options.channels, .out = 3 * options.channels, .kernel_size = 1, .matrix = true};
  if (!options.norm) return Conv(parameters, name + ".qkv", conv);
  return NormConv(parameters, name + ".norm", name + ".qkv",
                  {.conv = conv, .norm = with(*options.norm, Activation::none)});
}

}  // namespace

ResnetBlock::ResnetBlock(Parameters& parameters, const std::string& name, const Options& options)
    : options_(options),
      dropout_site_(site_of(name)),
      conv1_(parameters, name + ".norm1", name + ".conv1",
             {.conv = {.in = options.in, .out = options.out},
              .norm = with(options.norm, Activation::silu),
              .resample = options.resample}),
      temb_proj_(parameters, name + ".temb_proj", options.emb,
                 options.time == TimeScaleShift::scale_shift ? 2 * options.out : options.out),
      conv2_(parameters, name + ".norm2", name + ".conv2",
             {.conv = {.in = options.out, .out = options.out, .initializer = Initializer::zeros},
              .norm = with(options.norm, Activation::silu)}) {
  if (options.in != options.out) {
    nin_shortcut_.emplace(parameters, name + ".nin_shortcut",
                          ConvOptions{.in = options.in, .out = options.out, .kernel_size = 1});
  }
}

Tensor ResnetBlock::operator()(const Tensor& x, const Tensor& emb,
                               const std::optional<DropoutKey>& dropout) const {
  std::optional<NormConv::Dropout> drop;
  if (dropout && options_.dropout > 0.0)
    drop = {.rate = options_.dropout, .key = *dropout, .site = dropout_site_};
  const auto [y, residual] = conv1_(x);
  const Tensor time = temb_proj_(emb);
  const Tensor h =
      options_.time == TimeScaleShift::scale_shift
          ? conv2_(y, time, drop).y
          : conv2_(y.add_(time.to(y.scalar_type()).unsqueeze(-1).unsqueeze(-1)), {}, drop).y;
  const Tensor skip = resample(residual, options_.resample);
  return h.add_(nin_shortcut_ ? (*nin_shortcut_)(skip) : skip);
}

AttentionBlock::AttentionBlock(Parameters& parameters, const std::string& name,
                               const Options& options)
    : heads_(options.heads),
      qkv_(make_qkv(parameters, name, options)),
      proj_out_(parameters, name + ".proj_out",
                {.in = options.channels,
                 .out = options.channels,
                 .kernel_size = 1,
                 .initializer = Initializer::zeros,
                 .matrix = true}) {}

Tensor AttentionBlock::operator()(const Tensor& x) const {
  const auto* normed = std::get_if<NormConv>(&qkv_);
  const auto [qkv, residual] =
      normed ? (*normed)(x) : NormConv::Result{.y = std::get<Conv>(qkv_)(x), .x = x};
  return proj_out_(attention(qkv, heads_)).add_(residual);
}

}  // namespace halfstep
