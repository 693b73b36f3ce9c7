// The time embedding: a function of phi, as sines and cosines of many frequencies.
#ifndef HALFSTEP_NN_TIME_EMBEDDING_H_
#define HALFSTEP_NN_TIME_EMBEDDING_H_

#include <cstdint>
#include <string>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/schedule.h"

namespace halfstep {

// The input of the embedding in the official networks, from the log-SNR of phi clamped to [-20,
// 20]:
//   inv_cos phi / (pi/2);  linear (logsnr + 10) / 20;  sigmoid 1 / (1 + exp(-logsnr))
enum class TimeInput { inv_cos, linear, sigmoid };

template <>
struct EnumNames<TimeInput> {
  static constexpr auto kNames =
      std::to_array<std::pair<TimeInput, std::string_view>>({{TimeInput::inv_cos, "inv_cos"},
                                                             {TimeInput::linear, "linear"},
                                                             {TimeInput::sigmoid, "sigmoid"}});
};

// How the time embedding modulates a residual block. The names are those of diffusers.
enum class TimeScaleShift {
  scale_shift,  // norm2(h) (1 + scale) + shift
  shift         // norm2(h + shift)
};

template <>
struct EnumNames<TimeScaleShift> {
  static constexpr auto kNames = std::to_array<std::pair<TimeScaleShift, std::string_view>>(
      {{TimeScaleShift::scale_shift, "scale_shift"}, {TimeScaleShift::shift, "default"}});
};

struct SinusoidOptions {
  int64_t ch = 0;
  int64_t freq_shift = 1;
  bool cos_first = false;
  bool float32 = false;  // compute in float32, as diffusers does, rather than in float64
};

// Returns the embedding of position [B], float32 [B, ch]: sin(position f_k) and then
// cos(position f_k), or the reverse, with f_k = 10000^(-k / (ch/2 - freq_shift)), k = 0 ... ch/2
// - 1. An odd ch adds a column of zeros.
Tensor sinusoid(const Tensor& position, const SinusoidOptions& options);

// Returns the sinusoid of 1000 times the time input at phi [B], float32 [B, ch].
Tensor time_embedding(const Tensor& phi, TimeInput time_input, int64_t ch);

// Returns the embedding of the guidance weight w [B] (guidance.h) where it is an input of a
// network: the sinusoid of 1000 (w - 1), float32 [B, ch]. diffusers calls it
// get_guidance_scale_embedding and w - 1 its guidance scale.
Tensor guidance_embedding(const Tensor& w, int64_t ch);

// Throws ConfigError unless a network can have an embedding of this width: 0 (none), or 4 to 65536.
// `where` names the options in the message.
void require_guidance_ch(const std::string& where, int64_t ch);

// Returns the timestep of phi [B] in a DDPM schedule of T timesteps, float64 [B]: T t(phi) - 1 in
// [0, T - 1], which may lie between two timesteps. `nodes` are those of the schedule, on the device
// of phi.
Tensor timestep_of(const Tensor& phi, const Tensor& nodes, int64_t timesteps);

}  // namespace halfstep

#endif  // HALFSTEP_NN_TIME_EMBEDDING_H_
