#include "halfstep/nn/time_embedding.h"

#include <cmath>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"

namespace halfstep {

Tensor sinusoid(const Tensor& position, const SinusoidOptions& options) {
  const at::ScalarType type = options.float32 ? at::kFloat : at::kDouble;
  const int64_t half = options.ch / 2;
  const Tensor k = at::arange(half, position.options().dtype(type));
  const Tensor frequency =
      (k * -std::log(10000.0) / static_cast<double>(half - options.freq_shift)).exp();
  const Tensor argument = position.to(type).unsqueeze(1) * frequency;
  Tensor embedding = options.cos_first ? at::cat({argument.cos(), argument.sin()}, 1)
                                       : at::cat({argument.sin(), argument.cos()}, 1);
  if (options.ch % 2 != 0) embedding = at::constant_pad_nd(embedding, {0, 1});
  return embedding.to(at::kFloat);
}

Tensor time_embedding(const Tensor& phi, TimeInput time_input, int64_t ch) {
  const Tensor logsnr = logsnr_of_phi(phi).clamp(-20.0, 20.0);
  Tensor input;
  switch (time_input) {
    case TimeInput::inv_cos:
      input = phi_of_logsnr(logsnr) / kHalfPi;
      break;
    case TimeInput::linear:
      input = (logsnr + 10.0) / 20.0;
      break;
    case TimeInput::sigmoid:
      input = logsnr.sigmoid();
      break;
  }
  return sinusoid(1000.0 * input, {.ch = ch});
}

Tensor guidance_embedding(const Tensor& w, int64_t ch) {
  return sinusoid(1000.0 * (w.to(at::kDouble) - 1.0), {.ch = ch});
}

void require_guidance_ch(const std::string& where, int64_t ch) {
  // At least two frequencies, so that nothing is divided by zero.
  if (ch == 0 || (ch >= 4 && ch <= int64_t{1} << 16)) return;
  throw ConfigError(where,
                    "guidance_ch: expected 0, or 4 to 65536, received " + std::to_string(ch));
}

Tensor timestep_of(const Tensor& phi, const Tensor& nodes, int64_t timesteps) {
  return (static_cast<double>(timesteps) * time_of_phi(phi, nodes) - 1.0).clamp_min_(0.0);
}

}  // namespace halfstep
