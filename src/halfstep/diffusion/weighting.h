// The weight of an example's loss, as a factor of the mean squared residual of the network's own
// output.
//
//   | output         | constant | snr   | snr_trunc        | snr_plus_one |
//   | x              | 1        | cot^2 | max(cot^2, 1)    | 1 / sin^2    |
//   | eps            | tan^2    | 1     | max(1, tan^2)    | 1 / cos^2    |
//   | v, x_and_eps   | sin^2    | cos^2 | max(cos^2, sin^2)| 1            |      of phi
//
// The rows say the same loss (paper, equation 9 and section 4): |x - x_hat|^2 times 1, SNR,
// max(SNR, 1) or SNR + 1. Taken on the own output nothing cancels near either end.
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

// float64 [B]
Tensor loss_weight(Output output, Weighting weighting, const Tensor& phi);

// One loss an example: weight times the mean over all of its elements of (own output of raw - own
// output of target)^2. The residual is taken in float32 at least, and so is the loss.  -> [B]
Tensor weighted_loss(Output output, Weighting weighting, const Tensor& raw,
                     const Prediction& target, const Tensor& phi);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_WEIGHTING_H_
