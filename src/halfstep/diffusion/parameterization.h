// What a network predicts, and the x and eps that follow from it (Salimans & Ho 2022, section 4;
// Appendix D for v).
#ifndef HALFSTEP_DIFFUSION_PARAMETERIZATION_H_
#define HALFSTEP_DIFFUSION_PARAMETERIZATION_H_

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/schedule.h"

namespace halfstep {

// x: the data. eps: the noise. v = cos(phi) eps - sin(phi) x. x_and_eps: both, concatenated on the
// channel axis with x first (2 C channels), which is equivalent to v (`both` in the official code).
enum class Output { x, eps, v, x_and_eps };

template <>
struct EnumNames<Output> {
  static constexpr auto kNames = std::to_array<std::pair<Output, std::string_view>>(
      {{Output::x, "x"}, {Output::eps, "eps"}, {Output::v, "v"}, {Output::x_and_eps, "x_and_eps"}});
};

// Estimates of the x and eps of z = cos(phi) x + sin(phi) eps.
struct Prediction {
  Tensor x;    // [B, C, ...]
  Tensor eps;  // [B, C, ...]
};

// Returns v = cos(phi) eps - sin(phi) x.
Tensor v_of(const Prediction& prediction, const Tensor& phi);

// Returns the number of channels of the raw output for images with `channels` channels.
inline int64_t raw_channels(Output output, int64_t channels) {
  return output == Output::x_and_eps ? 2 * channels : channels;
}

// Returns the quantity [B, C, ...] in which the loss measures the residual: the raw output
// [B, C or 2 C, ...] itself, or for x_and_eps
//   v = cos(phi) eps_raw - sin(phi) x_raw
// Throws ConfigError if x_and_eps has an odd number of channels.
Tensor own_output(Output output, const Tensor& raw, const Tensor& phi);

// Returns the same quantity for a known pair: x, eps or v.
Tensor own_output(Output output, const Prediction& target, const Tensor& phi);

// Returns x and eps from the raw output at z. phi must be in (0, pi/2], or in [0, pi/2) for output
// eps.
//   x:   eps = (z - cos(phi) x) / sin(phi)       eps: x = (z - sin(phi) eps) / cos(phi)
//   v:   x = cos(phi) z - sin(phi) v, eps = sin(phi) z + cos(phi) v
Prediction predict(Output output, const Tensor& raw, const Tensor& z, const Tensor& phi);

// Returns x clipped to [-1, 1], and the eps that z then implies. Only sampling clips; targets never
// do.
Prediction clip(const Prediction& prediction, const Tensor& z, const Tensor& phi);

// Throws ConfigError for output eps with a schedule that reaches phi = pi/2, where eps does not
// determine x.
void require_compatible(Output output, const Schedule& schedule);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_PARAMETERIZATION_H_
