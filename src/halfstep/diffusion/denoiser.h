// What samplers and targets see of a network. Tests pass closed forms.
#ifndef HALFSTEP_DIFFUSION_DENOISER_H_
#define HALFSTEP_DIFFUSION_DENOISER_H_

#include <cstdint>
#include <functional>
#include <optional>

#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/parameterization.h"

namespace halfstep {

// The label of an example without a class: the null label of classifier-free guidance.
inline constexpr int64_t kNullLabel = -1;

// Which dropout masks to draw: those of this update, for the examples from `first_example` on.
struct DropoutKey {
  uint64_t seed = 0;
  uint64_t update = 0;
  uint32_t first_example = 0;
};

// What a denoiser is told beside z and phi.
struct Condition {
  Tensor labels;          // int64 [B], kNullLabel = no condition; undefined = no condition for any
  double guidance = 1.0;  // classifier-free guidance w: raw = null + w (conditional - null); 1 =
                          // off (Ho & Salimans 2021)
  std::optional<DropoutKey> dropout;  // none = no dropout
};

// z [B, C, ...], phi float64 [B] -> x and eps, not clipped.
using Denoiser =
    std::function<Prediction(const Tensor& z, const Tensor& phi, const Condition& condition)>;

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_DENOISER_H_
