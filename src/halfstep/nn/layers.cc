#include "halfstep/nn/layers.h"

#include <torch/csrc/autograd/custom_function.h>

#include <utility>

#include "halfstep/core/instruction_set.h"
#include "halfstep/nn/cast_convolution.h"
#include "halfstep/nn/kernels/images.h"
#include "halfstep/nn/kernels/winograd.h"

namespace halfstep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// Returns the norm's weight and bias combined with the modulation, [1 or B, C]:
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

// The reverse, from the gradients of scale and shift, [B, C].
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
    CastParameter weight, bias;
    GroupNormOptions norm;
    Resample resample;  // except doubling, which the kernel does
  };

  static variable_list forward(AutogradContext* ctx, const Tensor& x, const Tensor& norm_weight,
                               const Tensor& norm_bias, const std::optional<Tensor>& rows,
                               const Tensor& master, const Tensor& /*bias*/, const Call& call) {
    const Tensor modulation = rows.value_or(Tensor());
    const auto [scale, shift] = norm_rows(norm_weight, norm_bias, modulation);
    GroupNormMoments moments;
    const Tensor normal = group_norm_forward(x, scale, shift, call.norm, moments);
    const CastConvolution convolution(call.weight);
    const Tensor kernel = convolution.kernel(call.weight);
    ctx->save_for_backward({x, norm_weight, norm_bias, modulation, scale, shift, moments.mean,
                            moments.rstd, master, kernel});
    ctx->saved_data["groups"] = call.norm.groups;
    ctx->saved_data["epsilon"] = call.norm.epsilon;
    ctx->saved_data["silu"] = call.norm.activation == Activation::silu;
    ctx->saved_data["resample"] = static_cast<int64_t>(call.resample);
    convolution.save(*ctx);
    ctx->set_materialize_grads(false);  // no zeros for a residual that is not used
    return {convolution.convolve(resample(normal, call.resample).to(kernel.scalar_type()),
                                 call.weight, call.bias),
            x};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "[NormConv] can be differentiated only once");
    const auto saved = ctx->get_saved_variables();
    const Tensor& x = saved[0];
    const Tensor& norm_weight = saved[1];
    const Tensor& norm_bias = saved[2];
    const Tensor& modulation = saved[3];
    const Tensor& scale = saved[4];
    const Tensor& shift = saved[5];
    const GroupNormMoments moments{.mean = saved[6], .rstd = saved[7]};
    const Tensor& master = saved[8];
    const Tensor& kernel = saved[9];
    const CastConvolution convolution(*ctx);
    const auto how = static_cast<Resample>(ctx->saved_data["resample"].toInt());
    const GroupNormOptions options{
        .groups = ctx->saved_data["groups"].toInt(),
        .epsilon = ctx->saved_data["epsilon"].toDouble(),
        .activation = ctx->saved_data["silu"].toBool() ? Activation::silu : Activation::none};
    const auto in_layout = [](const Tensor& t) {
      return t.defined() ? t.contiguous(kChannelsLast) : t;
    };
    const Tensor residual = in_layout(gradients[1]);
    if (!gradients[0].defined()) return {residual, {}, {}, {}, {}, {}, {}};
    const Tensor dy = in_layout(gradients[0]);

    const int64_t halved = convolution.transposed ? 2 : 1;
    const Tensor like_input =
        at::empty({x.size(0), x.size(1), dy.size(2) / halved, dy.size(3) / halved},
                  kernel.options().memory_format(kChannelsLast));
    const Tensor dconv = convolution.input_gradient(dy, like_input, kernel).to(x.scalar_type());
    const Tensor normal = in_layout(resample_backward(dconv, how));
    // `normal` holds the gradient of the normalized x; group_norm_backward replaces it by the
    // value.
    const GroupNormGradients norm =
        group_norm_backward(normal, x, scale, shift, moments, residual, options);
    auto [dweight, dbias] = convolution.master_gradients(
        dy, resample(normal, how).to(kernel.scalar_type()), kernel, master);
    const NormRowGradients rows =
        norm_row_gradients(norm.dscale, norm.dshift, norm_weight, norm_bias, modulation);
    return {norm.dx, rows.weight, rows.bias, rows.modulation, dweight, dbias, Tensor()};
  }
};

// With AVX2 and more, Winograd convolutions are faster than oneDNN's (docs/decisions/023).
WeightForm form_of(const ConvOptions& options) {
  if (options.upsample) return WeightForm::upsampling;
  const bool winograd = instruction_set() >= InstructionSet::avx2 && options.kernel_size == 3 &&
                        options.stride == 1 && options.in % kWinogradChannels == 0 &&
                        options.out % kWinogradChannels == 0;
  return winograd ? WeightForm::winograd : WeightForm::plain;
}

ConvOptions with_upsample(ConvOptions options, bool upsample) {
  options.upsample = upsample;
  return options;
}

}  // namespace

Dense::Dense(Parameters& parameters, const std::string& name, int64_t in, int64_t out, Bias bias,
             Initializer initializer)
    : weight_(parameters.add(name + ".weight", {out, in}, initializer, in)) {
  if (bias == Bias::yes) bias_ = parameters.add(name + ".bias", {out}, Initializer::zeros);
}

Tensor Dense::operator()(const Tensor& x) const {
  // Pad to a multiple of this number of rows: the rows beyond it are summed in another order, and a
  // bit of difference here grows to several roundings of bfloat16 at the end of the network, so an
  // image would depend on the batch that it is sampled in.
  constexpr int64_t kRows = 4;
  const int64_t rows = x.size(0);
  const int64_t missing = (kRows - rows % kRows) % kRows;
  const std::optional<Tensor> bias = bias_.defined() ? std::optional<Tensor>(bias_) : std::nullopt;
  if (missing == 0) return at::linear(x, weight_, bias);
  return at::linear(at::constant_pad_nd(x, {0, 0, 0, missing}), weight_, bias).narrow(0, 0, rows);
}

Conv::Conv(Parameters& parameters, const std::string& name, const ConvOptions& options)
    : stride_(options.stride), symmetric_(options.symmetric) {
  const int64_t k = options.kernel_size;
  const std::vector<int64_t> shape = options.matrix
                                         ? std::vector<int64_t>{options.out, options.in}
                                         : std::vector<int64_t>{options.out, options.in, k, k};
  const auto add = [&](const std::string& which, at::IntArrayRef sizes, Initializer initializer) {
    const int64_t fan_in = options.in * k * k;
    const WeightForm form = which == ".weight" ? form_of(options) : WeightForm::plain;
    if (!options.float32)
      return parameters.add_cast(name + which, sizes, initializer, fan_in, form);
    const Tensor parameter = parameters.add(name + which, sizes, initializer, fan_in);
    return CastParameter{.master = parameter, .value = parameter};
  };
  weight_ = add(".weight", shape, options.initializer);
  bias_ = add(".bias", {options.out}, Initializer::zeros);
}

Tensor Conv::operator()(const Tensor& x) const {
  // 'SAME' padding for stride 2.
  const Tensor padded = stride_ == 1 || symmetric_ ? x : at::constant_pad_nd(x, {0, 1, 0, 1});
  return convolve(padded, weight_, bias_, CastConvolution(weight_, stride_, symmetric_));
}

NormConv::NormConv(Parameters& parameters, const std::string& norm, const std::string& conv,
                   const Options& options)
    : norm_(options.norm),
      resample_(options.resample == Resample::up ? Resample::none : options.resample),
      norm_weight_(parameters.add(norm + ".weight", {options.conv.in}, Initializer::ones)),
      norm_bias_(parameters.add(norm + ".bias", {options.conv.in}, Initializer::zeros)),
      conv_(parameters, conv, with_upsample(options.conv, options.resample == Resample::up)) {}

Tensor NormConv::composed(const Tensor& x, const Tensor& modulation,
                          const std::optional<Dropout>& dropout) const {
  const auto [scale, shift] = norm_rows(norm_weight_, norm_bias_, modulation);
  Tensor h = group_norm(x, scale, shift, norm_);
  h = resample(h, resample_);
  if (dropout) h = keyed_dropout(h, dropout->rate, dropout->key, dropout->site);
  return conv_(h.to(conv_.weight_.value.scalar_type()));
}

NormConv::Result NormConv::operator()(const Tensor& x, const Tensor& modulation,
                                      const std::optional<Dropout>& dropout) const {
  if (!at::GradMode::is_enabled() || dropout || !has_fused_group_norm(x))
    return {.y = composed(x, modulation, dropout), .x = x};
  const FusedNormConv::Call call{
      .weight = conv_.weight_, .bias = conv_.bias_, .norm = norm_, .resample = resample_};
  const std::optional<Tensor> rows =
      modulation.defined() ? std::optional<Tensor>(modulation) : std::nullopt;
  const variable_list results =
      FusedNormConv::apply(x.contiguous(kChannelsLast), norm_weight_, norm_bias_, rows,
                           conv_.weight_.master, conv_.bias_.master, call);
  return {.y = results[0], .x = results[1]};
}

}  // namespace halfstep
