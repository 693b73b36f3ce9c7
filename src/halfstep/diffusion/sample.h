// From noise to images along a grid of angles.
#ifndef HALFSTEP_DIFFUSION_SAMPLE_H_
#define HALFSTEP_DIFFUSION_SAMPLE_H_

#include <cstdint>
#include <functional>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"
#include "halfstep/diffusion/denoiser.h"

namespace halfstep {

enum class Sampler { ddim, ancestral, heun, dpmpp_2m };

template <>
struct EnumNames<Sampler> {
  static constexpr auto kNames =
      std::to_array<std::pair<Sampler, std::string_view>>({{Sampler::ddim, "ddim"},
                                                           {Sampler::ancestral, "ancestral"},
                                                           {Sampler::heun, "heun"},
                                                           {Sampler::dpmpp_2m, "dpmpp-2m"}});
};

struct SampleOptions {
  Sampler sampler = Sampler::ddim;
  double variance = 1.0;  // ancestral: 0 = small, 1 = large, between them log-interpolated
  bool clip_x = true;     // clip x_hat to [-1, 1] at every step (the official evaluation does)
};

// N(0, 1) for the step that starts at grid[step]; called by the ancestral sampler only, never for
// the last step.
using NoiseAt = std::function<Tensor(int64_t step)>;

// Calls of the denoiser in a walk of N steps: N; heun 2 N - 1.
int64_t network_calls(Sampler sampler, int64_t num_steps);

// Walks z from grid[N] (noise) down to grid[0] = 0 and returns x in [-1, 1] (not clamped without
// clip_x), with network_calls calls. heun and dpmpp_2m end with a DDIM step, dpmpp_2m also
// begins with one.
Tensor sample(const Denoiser& denoiser, Tensor z, const std::vector<double>& grid,
              const Condition& condition, const SampleOptions& options,
              const NoiseAt& noise_at = {});

// x in [-1, 1] -> uint8, the nearest level: floor(127.5 x + 128) clipped to 0..255. (The official
// notebook truncates instead.)
Tensor to_uint8(const Tensor& x);
// uint8 -> x = pixel / 127.5 - 1, float32.
Tensor from_uint8(const Tensor& pixels);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_SAMPLE_H_
