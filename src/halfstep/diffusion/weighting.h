// The weight of an example in the loss, a factor of the mean squared residual of what the network
// outputs (own_output).
//
//   | output         | constant | snr   | snr_trunc        | snr_plus_one |
//   | x              | 1        | cot^2 | max(cot^2, 1)    | 1 / sin^2    |
//   | eps            | tan^2    | 1     | max(1, tan^2)    | 1 / cos^2    |
//   | v, x_and_eps   | sin^2    | cos^2 | max(cos^2, sin^2)| 1            |      of phi
//
// All rows give the same loss (Salimans & Ho 2022, equation 9 and section 4): |x - x_hat|^2 times
// 1, SNR, max(SNR, 1) or SNR + 1. Measured on the network's output, nothing cancels near either
// end.
#ifndef HALFSTEP_DIFFUSION_WEIGHTING_H_
#define HALFSTEP_DIFFUSION_WEIGHTING_H_

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

enum class Weighting { constant, snr, snr_trunc, snr_plus_one };

template <>
struct EnumNames<Weighting> {
  static constexpr auto kNames = std::to_array<std::pair<Weighting, std::string_view>>(
      {{Weighting::constant, "constant"},
       {Weighting::snr, "snr"},
       {Weighting::snr_trunc, "snr_trunc"},
       {Weighting::snr_plus_one, "snr_plus_one"}});
};

// Returns the weight of each example, float64 [B], from the table above.
Tensor loss_weight(Output output, Weighting weighting, const Tensor& phi);

// Returns the loss of each example, [B]: its weight times the mean over all elements of
// (own_output(raw) - own_output(target))^2, computed in float32, or float64 if an input is.
Tensor weighted_loss(Output output, Weighting weighting, const Tensor& raw,
                     const Prediction& target, const Tensor& phi);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_WEIGHTING_H_
