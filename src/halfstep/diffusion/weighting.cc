#include "halfstep/diffusion/weighting.h"

namespace halfstep {
namespace {

// |x - x_hat|^2 = factor |own - own_hat|^2
Tensor x_per_own(Output output, const Tensor& phi) {
  switch (output) {
    case Output::x:
      return at::ones_like(phi);
    case Output::eps:
      return phi.tan().square();
    case Output::v:
    case Output::x_and_eps:
      break;
  }
  return phi.sin().square();
}

// |eps - eps_hat|^2 = factor |own - own_hat|^2; SNR = eps_per_own / x_per_own
Tensor eps_per_own(Output output, const Tensor& phi) {
  switch (output) {
    case Output::x:
      return phi.tan().reciprocal().square();
    case Output::eps:
      return at::ones_like(phi);
    case Output::v:
    case Output::x_and_eps:
      break;
  }
  return phi.cos().square();
}

// |v - v_hat|^2 = factor |own - own_hat|^2
Tensor v_per_own(Output output, const Tensor& phi) {
  switch (output) {
    case Output::x:
      return phi.sin().square().reciprocal();
    case Output::eps:
      return phi.cos().square().reciprocal();
    case Output::v:
    case Output::x_and_eps:
      break;
  }
  return at::ones_like(phi);
}

Tensor at_least_float32(const Tensor& tensor) {
  return tensor.scalar_type() == at::kDouble ? tensor : tensor.to(at::kFloat);
}

}  // namespace

Tensor loss_weight(Output output, Weighting weighting, const Tensor& phi) {
  switch (weighting) {
    case Weighting::constant:
      return x_per_own(output, phi);
    case Weighting::snr:
      return eps_per_own(output, phi);
    case Weighting::snr_trunc:
      return at::maximum(x_per_own(output, phi), eps_per_own(output, phi));
    case Weighting::snr_plus_one:
      break;
  }
  return v_per_own(output, phi);
}

Tensor weighted_loss(Output output, Weighting weighting, const Tensor& raw,
                     const Prediction& target, const Tensor& phi) {
  const Prediction wide_target{.x = at_least_float32(target.x),
                               .eps = at_least_float32(target.eps)};
  const Tensor residual =
      own_output(output, at_least_float32(raw), phi) - own_output(output, wide_target, phi);
  const Tensor mean_square = residual.square().flatten(1).mean(1);
  return mean_square * loss_weight(output, weighting, phi).to(mean_square.options());
}

}  // namespace halfstep
