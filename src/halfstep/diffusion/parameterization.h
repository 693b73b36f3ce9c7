// What a network predicts, and what that says of x and eps. (Paper, section 4; Appendix D for v.)
#ifndef HALFSTEP_DIFFUSION_PARAMETERIZATION_H_
#define HALFSTEP_DIFFUSION_PARAMETERIZATION_H_

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/schedule.h"

namespace halfstep {

// x: the data; eps: the noise; v = cos(phi) eps - sin(phi) x; x_and_eps: both, x first on the
// channel axis (2 C channels), which is v in disguise (the official `both`).
enum class Output { x, eps, v, x_and_eps };

template <>
struct EnumNames<Output> {
  static constexpr auto kNames = std::to_array<std::pair<Output, std::string_view>>(
      {{Output::x, "x"}, {Output::eps, "eps"}, {Output::v, "v"}, {Output::x_and_eps, "x_and_eps"}});
};

// A denoiser's word about the two ends of z = cos(phi) x + sin(phi) eps.
struct Prediction {
  Tensor x;    // [B, C, ...]
  Tensor eps;  // [B, C, ...]
};

// v = cos(phi) eps - sin(phi) x
Tensor v_of(const Prediction& prediction, const Tensor& phi);

// Channels of a network's raw output for images of this many: x_and_eps is both, one after the
// other.
inline int64_t raw_channels(Output output, int64_t channels) {
  return output == Output::x_and_eps ? 2 * channels : channels;
}

// The quantity whose residual the loss is taken of: the raw output itself, but v for x_and_eps:
//   v = cos(phi) eps_raw - sin(phi) x_raw          raw [B, C or 2C, ...], phi [B] -> [B, C, ...]
Tensor own_output(Output output, const Tensor& raw, const Tensor& phi);

// The same quantity of a known pair: x, eps, or v.
Tensor own_output(Output output, const Prediction& target, const Tensor& phi);

// x and eps from the raw output at z. phi must be in (0, pi/2], for output eps in [0, pi/2).
//   x:   eps = (z - cos(phi) x) / sin(phi)       eps: x = (z - sin(phi) eps) / cos(phi)
//   v:   x = cos(phi) z - sin(phi) v, eps = sin(phi) z + cos(phi) v
Prediction predict(Output output, const Tensor& raw, const Tensor& z, const Tensor& phi);

// x clipped to [-1, 1], and the eps that z then implies. At sampling only, never in a target.
Prediction clip(const Prediction& prediction, const Tensor& z, const Tensor& phi);

// Throws ConfigError where output and schedule cannot go together: eps says nothing of x at
// phi = pi/2.
void require_compatible(Output output, const Schedule& schedule);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_PARAMETERIZATION_H_
