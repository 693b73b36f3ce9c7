#include "halfstep/nn/cast_convolution.h"

#include <array>
#include <tuple>

#include "halfstep/nn/kernels/images.h"
#include "halfstep/nn/kernels/winograd.h"

namespace halfstep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The most pairs of channels for which Winograd's gradient of the kernel was measured to be faster:
// its sums, 64 bytes for each pair, are read and written once for every 48 tiles.
constexpr int64_t kMostPairs = 1 << 16;

// Returns a weight [out, in] as a 1 x 1 kernel.
Tensor kernel_of(const Tensor& weight) {
  return weight.dim() == 2 ? weight.unsqueeze(-1).unsqueeze(-1) : weight;
}

// Returns the gradients of x, kernel and bias that `which` selects.
std::tuple<Tensor, Tensor, Tensor> gradients(const CastConvolution& convolution, const Tensor& dy,
                                             const Tensor& x, const Tensor& kernel,
                                             std::array<bool, 3> which) {
  const int64_t stride = convolution.stride;
  const int64_t padding = convolution.padding;
  return at::convolution_backward(dy, x, kernel, at::IntArrayRef{dy.size(1)}, {stride, stride},
                                  {padding, padding}, {1, 1}, convolution.transposed, {0, 0},
                                  /*groups=*/1, which);
}

struct CastConv : torch::autograd::Function<CastConv> {
  static Tensor forward(AutogradContext* ctx, const Tensor& x, const Tensor& master,
                        const Tensor& /*bias*/, const CastParameter& weight,
                        const CastParameter& bias_value, const CastConvolution& convolution) {
    ctx->save_for_backward({x, master, convolution.kernel(weight)});
    convolution.save(*ctx);
    return convolution.convolve(x, weight, bias_value);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& dys) {
    const auto saved = ctx->get_saved_variables();
    const CastConvolution convolution(*ctx);
    const Tensor& x = saved[0];
    const Tensor dy = dys[0].contiguous(kChannelsLast);
    auto [dweight, dbias] = convolution.master_gradients(dy, x, saved[2], saved[1]);
    Tensor dx;
    if (ctx->needs_input_grad(0)) dx = convolution.input_gradient(dy, x, saved[2]);
    return {dx, dweight, dbias, Tensor(), Tensor(), Tensor()};
  }
};

}  // namespace

CastConvolution::CastConvolution(const CastParameter& weight, int64_t stride, bool symmetric)
    : transposed(weight.form == WeightForm::upsampling),
      winograd(weight.form == WeightForm::winograd && weight.value.dim() == 3),
      stride(transposed ? 2 : stride),
      padding(transposed                 ? 1
              : stride > 1 && !symmetric ? 0
                                         : kernel_of(weight.master).size(2) / 2) {}

CastConvolution::CastConvolution(const AutogradContext& ctx)
    : transposed(ctx.saved_data.at("transposed").toBool()),
      winograd(ctx.saved_data.at("winograd").toBool()),
      stride(ctx.saved_data.at("stride").toInt()),
      padding(ctx.saved_data.at("padding").toInt()) {}

void CastConvolution::save(AutogradContext& ctx) const {
  ctx.saved_data["transposed"] = transposed;
  ctx.saved_data["winograd"] = winograd;
  ctx.saved_data["stride"] = stride;
  ctx.saved_data["padding"] = padding;
}

Tensor CastConvolution::convolve(const Tensor& x, const CastParameter& weight,
                                 const CastParameter& bias) const {
  if (winograd) return halfstep::winograd(x, weight.value, bias.value);
  return at::convolution(x, kernel_of(weight.value), bias.value, {stride, stride},
                         {padding, padding}, {1, 1}, transposed, {0, 0}, /*groups=*/1);
}

Tensor CastConvolution::kernel(const CastParameter& weight) const {
  return winograd ? weight.master.detach() : kernel_of(weight.value);
}

Tensor CastConvolution::input_gradient(const Tensor& dy, const Tensor& x,
                                       const Tensor& kernel) const {
  if (winograd) return winograd_input_gradient(dy, kernel);
  return std::get<0>(gradients(*this, dy, x, kernel, {true, false, false}));
}

std::pair<Tensor, Tensor> CastConvolution::master_gradients(const Tensor& dy, const Tensor& x,
                                                            const Tensor& kernel,
                                                            const Tensor& master) const {
  if (winograd && dy.size(1) * x.size(1) <= kMostPairs)
    return {winograd_kernel_gradient(dy, x), dy.sum(at::IntArrayRef{0, 2, 3})};
  const auto [dx, dkernel, dbias] = gradients(*this, dy, x, kernel, {false, true, true});
  const Tensor wide = dkernel.to(at::kFloat);
  return {transposed ? upsampling_kernel_backward(wide) : wide.reshape(master.sizes()),
          dbias.to(at::kFloat)};
}

Tensor convolve(const Tensor& x, const CastParameter& weight, const CastParameter& bias,
                const CastConvolution& convolution) {
  if (!at::GradMode::is_enabled()) return convolution.convolve(x, weight, bias);
  return CastConv::apply(x, weight.master, bias.master, weight, bias, convolution);
}

}  // namespace halfstep
