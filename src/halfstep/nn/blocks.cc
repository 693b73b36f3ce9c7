#include "halfstep/nn/blocks.h"

#include "halfstep/core/random.h"
#include "halfstep/nn/dropout.h"

namespace halfstep {

Dense::Dense(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
             Initializer kernel)
    : weight_(parameters.add(name + ".weight", {out, in}, kernel, in)),
      bias_(parameters.add(name + ".bias", {out}, Initializer::zeros)) {}

Tensor Dense::operator()(const Tensor& x) const {
  return at::linear(x, weight_.to(x.scalar_type()), bias_.to(x.scalar_type()));
}

Conv::Conv(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
           int64_t kernel_size, Initializer kernel, int64_t stride)
    : weight_(parameters.add(name + ".weight", {out, in, kernel_size, kernel_size}, kernel,
                             in * kernel_size * kernel_size)),
      bias_(parameters.add(name + ".bias", {out}, Initializer::zeros)),
      stride_(stride) {}

Tensor Conv::operator()(const Tensor& x) const {
  const Tensor weight = weight_.to(x.scalar_type());
  const Tensor bias = bias_.to(x.scalar_type());
  if (stride_ == 1)
    return at::conv2d(x, weight, bias, /*stride=*/1, /*padding=*/weight.size(2) / 2);
  return at::conv2d(at::constant_pad_nd(x, {0, 1, 0, 1}), weight, bias, stride_);
}

Norm::Norm(Parameters& parameters, const std::string& name, int64_t channels)
    : weight_(parameters.add(name + ".weight", {channels}, Initializer::ones)),
      bias_(parameters.add(name + ".bias", {channels}, Initializer::zeros)) {}

Tensor Norm::operator()(const Tensor& x, Activation activation) const {
  return group_norm(x, weight_.unsqueeze(0), bias_.unsqueeze(0), {.activation = activation});
}

Tensor Norm::modulated_silu(const Tensor& x, const Tensor& scale, const Tensor& shift) const {
  const Tensor gain = 1.0 + scale;
  return group_norm(x, weight_ * gain, bias_ * gain + shift, {.activation = Activation::silu});
}

Tensor resample(const Tensor& x, Resample how) {
  switch (how) {
    case Resample::none:
      return x;
    case Resample::down:
      return at::avg_pool2d(x, 2);
    case Resample::up:
      break;
  }
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

ResnetBlock::ResnetBlock(Parameters& parameters, const std::string& name, const Options& options)
    : options_(options),
      dropout_site_(site_of(name)),
      norm1_(parameters, name + ".norm1", options.in),
      conv1_(parameters, name + ".conv1", options.in, options.out, 3),
      temb_proj_(parameters, name + ".temb_proj", options.emb, 2 * options.out),
      norm2_(parameters, name + ".norm2", options.out),
      conv2_(parameters, name + ".conv2", options.out, options.out, 3, Initializer::zeros) {
  if (options.in != options.out) {
    nin_shortcut_.emplace(parameters, name + ".nin_shortcut", options.in, options.out, 1);
  }
}

Tensor ResnetBlock::operator()(const Tensor& x, const Tensor& emb,
                               const std::optional<DropoutKey>& dropout) const {
  Tensor h = conv1_(resample(norm1_(x, Activation::silu), options_.resample));
  const std::vector<Tensor> scale_shift = temb_proj_(emb).chunk(2, 1);
  h = norm2_.modulated_silu(h, scale_shift[0], scale_shift[1]);
  if (dropout && options_.dropout > 0.0)
    h = keyed_dropout(h, options_.dropout, *dropout, dropout_site_);
  h = conv2_(h);
  const Tensor skip = resample(x, options_.resample);
  return h + (nin_shortcut_ ? (*nin_shortcut_)(skip) : skip);
}

AttentionBlock::AttentionBlock(Parameters& parameters, const std::string& name, int64_t channels,
                               int64_t heads)
    : heads_(heads),
      norm_(parameters, name + ".norm", channels),
      qkv_(parameters, name + ".qkv", channels, 3 * channels),
      proj_out_(parameters, name + ".proj_out", channels, channels, Initializer::zeros) {}

Tensor AttentionBlock::operator()(const Tensor& x) const {
  const int64_t batch = x.size(0);
  const int64_t channels = x.size(1);
  const int64_t positions = x.size(2) * x.size(3);
  // channels-last makes [B, H W, C] a view
  const Tensor h =
      norm_(x, Activation::none).permute({0, 2, 3, 1}).reshape({batch, positions, channels});
  const Tensor qkv =
      qkv_(h).reshape({batch, positions, 3, heads_, channels / heads_}).permute({2, 0, 3, 1, 4});
  const Tensor mixed = at::scaled_dot_product_attention(qkv[0], qkv[1], qkv[2]);
  const Tensor out = proj_out_(mixed.transpose(1, 2).reshape({batch, positions, channels}));
  return x + out.reshape({batch, x.size(2), x.size(3), channels}).permute({0, 3, 1, 2});
}

}  // namespace halfstep
