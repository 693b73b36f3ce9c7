#include "halfstep/nn/layers.h"

#include <torch/csrc/autograd/custom_function.h>

#include <tuple>
#include <utility>

#include "halfstep/nn/dropout.h"

namespace halfstep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// ---- convolution ------------------------------------------------------------------------------

// [out, in] as the 1 x 1 kernel that it is
Tensor kernel_of(const Tensor& weight) {
  return weight.dim() == 2 ? weight.unsqueeze(-1).unsqueeze(-1) : weight;
}

int64_t padding_of(const Tensor& kernel, int64_t stride) {
  return stride == 1 ? kernel.size(2) / 2 : 0;
}

Tensor convolve(const Tensor& x, const Tensor& kernel, const Tensor& bias, int64_t stride) {
  return at::conv2d(x, kernel, bias, stride, padding_of(kernel, stride));
}

// What autograd is given for a cast parameter: its float32 master, whose gradient is float32.
std::pair<Tensor, Tensor> kernel_gradients(const Tensor& dy, const Tensor& x, const Tensor& kernel,
                                           const Tensor& weight, int64_t stride) {
  const int64_t padding = padding_of(kernel, stride);
  const auto [dx, dkernel, dbias] = at::convolution_backward(
      dy, x, kernel, at::IntArrayRef{kernel.size(0)}, {stride, stride}, {padding, padding}, {1, 1},
      /*transposed=*/false, {0, 0}, /*groups=*/1, {false, true, true});
  return {dkernel.to(at::kFloat).reshape(weight.sizes()), dbias.to(at::kFloat)};
}

Tensor input_gradient(const Tensor& dy, const Tensor& x, const Tensor& kernel, int64_t stride) {
  const int64_t padding = padding_of(kernel, stride);
  return std::get<0>(at::convolution_backward(
      dy, x, kernel, /*bias_sizes=*/std::nullopt, {stride, stride}, {padding, padding}, {1, 1},
      /*transposed=*/false, {0, 0}, /*groups=*/1, {true, false, false}));
}

// The convolution of cast parameters: computes with their values, differentiates to their masters.
struct CastConv : torch::autograd::Function<CastConv> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& weight,
                        const Tensor& /*bias*/, const Tensor& weight_value,
                        const Tensor& bias_value, int64_t stride) {
    const Tensor kernel = kernel_of(weight_value);
    ctx->save_for_backward({x, weight, kernel});
    ctx->saved_data["stride"] = stride;
    return convolve(x, kernel, bias_value, stride);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& dys) {
    const auto saved = ctx->get_saved_variables();
    const int64_t stride = ctx->saved_data["stride"].toInt();
    const Tensor& x = saved[0];
    const Tensor dy = dys[0].contiguous(kChannelsLast);
    auto [dweight, dbias] = kernel_gradients(dy, x, saved[2], saved[1], stride);
    Tensor dx;
    if (ctx->needs_input_grad(0)) dx = input_gradient(dy, x, saved[2], stride);
    return {dx, dweight, dbias, Tensor(), Tensor(), Tensor()};
  }
};

// ---- norm and convolution ---------------------------------------------------------------------

// The norm's weight and bias with the modulation in them, [1 or B, C]:
//   scale = weight (1 + m),  shift = bias (1 + m) + n,  (m, n) = modulation
std::pair<Tensor, Tensor> norm_rows(const Tensor& weight, const Tensor& bias,
                                    const Tensor& modulation) {
  if (!modulation.defined()) return {weight.unsqueeze(0), bias.unsqueeze(0)};
  const int64_t channels = weight.size(0);
  const Tensor gain = 1.0 + modulation.narrow(1, 0, channels);
  return {weight * gain, at::addcmul(modulation.narrow(1, channels, channels), bias, gain)};
}

struct NormRowGradients {
  Tensor weight, bias, modulation;
};

// And back, from the gradients of scale and shift, [B, C].
NormRowGradients norm_row_gradients(const Tensor& dscale, const Tensor& dshift,
                                    const Tensor& weight, const Tensor& bias,
                                    const Tensor& modulation) {
  if (!modulation.defined()) return {dscale.sum(0), dshift.sum(0), Tensor()};
  const Tensor gain = 1.0 + modulation.narrow(1, 0, weight.size(0));
  return {(dscale * gain).sum(0), (dshift * gain).sum(0),
          at::cat({at::addcmul(dscale * weight, dshift, bias), dshift}, 1)};
}

struct FusedNormConv : torch::autograd::Function<FusedNormConv> {
  struct Call {
    Tensor weight_value, bias_value;
    Activation activation;
    Resample resample;
  };

  static Tensor convolve_normal(const Tensor& normal, const Call& call, const Tensor& kernel) {
    return convolve(resample(normal, call.resample).to(kernel.scalar_type()), kernel,
                    call.bias_value, /*stride=*/1);
  }

  static variable_list forward(AutogradContext* ctx, const Tensor& x, const Tensor& norm_weight,
                               const Tensor& norm_bias, const std::optional<Tensor>& rows,
                               const Tensor& weight, const Tensor& /*bias*/, const Call& call) {
    const Tensor modulation = rows.value_or(Tensor());
    const auto [scale, shift] = norm_rows(norm_weight, norm_bias, modulation);
    GroupNormMoments moments;
    const Tensor normal =
        group_norm_forward(x, scale, shift, {.activation = call.activation}, moments);
    const Tensor kernel = kernel_of(call.weight_value);
    ctx->save_for_backward(
        {x, norm_weight, norm_bias, modulation, moments.mean, moments.rstd, weight, kernel});
    ctx->saved_data["silu"] = call.activation == Activation::silu;
    ctx->saved_data["resample"] = static_cast<int64_t>(call.resample);
    return {convolve_normal(normal, call, kernel), x};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "[NormConv] can be differentiated only once");
    const auto saved = ctx->get_saved_variables();
    const Tensor& x = saved[0];
    const Tensor& kernel = saved[7];
    const auto how = static_cast<Resample>(ctx->saved_data["resample"].toInt());
    const GroupNormOptions options{
        .activation = ctx->saved_data["silu"].toBool() ? Activation::silu : Activation::none};
    const Tensor dy = gradients[0].contiguous(kChannelsLast);
    const Tensor residual =
        gradients[1].defined() ? gradients[1].contiguous(kChannelsLast) : Tensor();

    // x of the right type and size stands for the convolution's input, of which only those are read
    const Tensor dconv = input_gradient(dy, like_input(dy, x, kernel), kernel, /*stride=*/1);
    const Tensor normal =
        resample_backward(dconv.to(x.scalar_type()), how).contiguous(kChannelsLast);
    const auto [scale, shift] = norm_rows(saved[1], saved[2], saved[3]);
    const GroupNormGradients norm =
        group_norm_backward(normal, x, scale, shift, {saved[4], saved[5]}, residual, options);
    auto [dweight, dbias] = kernel_gradients(dy, resample(normal, how).to(kernel.scalar_type()),
                                             kernel, saved[6], /*stride=*/1);
    const NormRowGradients rows =
        norm_row_gradients(norm.dscale, norm.dshift, saved[1], saved[2], saved[3]);
    return {norm.dx, rows.weight, rows.bias, rows.modulation, dweight, dbias, Tensor()};
  }

  static Tensor like_input(const Tensor& dy, const Tensor& x, const Tensor& kernel) {
    return at::empty({dy.size(0), x.size(1), dy.size(2), dy.size(3)},
                     kernel.options().memory_format(kChannelsLast));
  }
};

}  // namespace

Dense::Dense(Parameters& parameters, const std::string& name, int64_t in, int64_t out,
             Initializer kernel)
    : weight_(parameters.add(name + ".weight", {out, in}, kernel, in)),
      bias_(parameters.add(name + ".bias", {out}, Initializer::zeros)) {}

Conv::Conv(Parameters& parameters, const std::string& name, const ConvOptions& options)
    : stride_(options.stride) {
  const int64_t k = options.kernel_size;
  const std::vector<int64_t> shape = options.matrix
                                         ? std::vector<int64_t>{options.out, options.in}
                                         : std::vector<int64_t>{options.out, options.in, k, k};
  const auto add = [&](const std::string& which, at::IntArrayRef sizes, Initializer initializer) {
    const int64_t fan_in = options.in * k * k;
    if (!options.float32) return parameters.add_cast(name + which, sizes, initializer, fan_in);
    const Tensor parameter = parameters.add(name + which, sizes, initializer, fan_in);
    return CastParameter{.master = parameter, .value = parameter};
  };
  weight_ = add(".weight", shape, options.initializer);
  bias_ = add(".bias", {options.out}, Initializer::zeros);
}

Tensor Conv::operator()(const Tensor& x) const {
  // 'SAME' of stride 2
  const Tensor padded = stride_ == 1 ? x : at::constant_pad_nd(x, {0, 1, 0, 1});
  if (!at::GradMode::is_enabled())
    return convolve(padded, kernel_of(weight_.value), bias_.value, stride_);
  return CastConv::apply(padded, weight_.master, bias_.master, weight_.value, bias_.value, stride_);
}

NormConv::NormConv(Parameters& parameters, const std::string& norm, const std::string& conv,
                   const Options& options)
    : options_(options),
      norm_weight_(parameters.add(norm + ".weight", {options.in}, Initializer::ones)),
      norm_bias_(parameters.add(norm + ".bias", {options.in}, Initializer::zeros)),
      conv_(parameters, conv,
            {.in = options.in,
             .out = options.out,
             .kernel_size = options.kernel_size,
             .initializer = options.initializer,
             .matrix = options.matrix,
             .float32 = options.float32}) {}

Tensor NormConv::composed(const Tensor& x, const Tensor& modulation,
                          const std::optional<Dropout>& dropout) const {
  const auto [scale, shift] = norm_rows(norm_weight_, norm_bias_, modulation);
  Tensor h = group_norm(x, scale, shift, {.activation = options_.activation});
  h = resample(h, options_.resample);
  if (dropout) h = keyed_dropout(h, dropout->rate, dropout->key, dropout->site);
  return conv_(h.to(conv_.weight_.value.scalar_type()));
}

NormConv::Result NormConv::operator()(const Tensor& x, const Tensor& modulation,
                                      const std::optional<Dropout>& dropout) const {
  if (!at::GradMode::is_enabled() || dropout || !has_fused_group_norm(x))
    return {.y = composed(x, modulation, dropout), .x = x};
  const FusedNormConv::Call call{.weight_value = conv_.weight_.value,
                                 .bias_value = conv_.bias_.value,
                                 .activation = options_.activation,
                                 .resample = options_.resample};
  const std::optional<Tensor> rows =
      modulation.defined() ? std::optional<Tensor>(modulation) : std::nullopt;
  const variable_list results =
      FusedNormConv::apply(x.contiguous(kChannelsLast), norm_weight_, norm_bias_, rows,
                           conv_.weight_.master, conv_.bias_.master, call);
  return {.y = results[0], .x = results[1]};
}

}  // namespace halfstep
