#include "halfstep/nn/blocks.h"

#include "halfstep/core/random.h"
#include "halfstep/nn/kernels/attention.h"

namespace halfstep {

ResnetBlock::ResnetBlock(Parameters& parameters, const std::string& name, const Options& options)
    : options_(options),
      dropout_site_(site_of(name)),
      conv1_(parameters, name + ".norm1", name + ".conv1",
             {.conv = {.in = options.in, .out = options.out}, .resample = options.resample}),
      temb_proj_(parameters, name + ".temb_proj", options.emb, 2 * options.out),
      conv2_(parameters, name + ".norm2", name + ".conv2",
             {.conv = {.in = options.out, .out = options.out, .initializer = Initializer::zeros}}) {
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
  const Tensor h = conv2_(y, temb_proj_(emb), drop).y;
  const Tensor skip = resample(residual, options_.resample);
  return h.add_(nin_shortcut_ ? (*nin_shortcut_)(skip) : skip);
}

AttentionBlock::AttentionBlock(Parameters& parameters, const std::string& name, int64_t channels,
                               int64_t heads)
    : heads_(heads),
      qkv_(parameters, name + ".norm", name + ".qkv",
           {.conv = {.in = channels, .out = 3 * channels, .kernel_size = 1, .matrix = true},
            .activation = Activation::none}),
      proj_out_(parameters, name + ".proj_out",
                {.in = channels,
                 .out = channels,
                 .kernel_size = 1,
                 .initializer = Initializer::zeros,
                 .matrix = true}) {}

Tensor AttentionBlock::operator()(const Tensor& x) const {
  const auto [qkv, residual] = qkv_(x);
  return proj_out_(attention(qkv, heads_)).add_(residual);
}

}  // namespace halfstep
