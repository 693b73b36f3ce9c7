// Sampling: from noise to images along a grid of angles.
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
  double variance = 1.0;  // ancestral_posterior's, in [0, 1]: 0 = small, 1 = large
  bool clip_x = true;     // clip x_hat to [-1, 1] at every step, as the official evaluation does
};

// Returns N(0, 1) noise with the shape of z for the step that starts at grid[step]. Only the
// ancestral sampler calls it, for every step but the last.
using NoiseAt = std::function<Tensor(int64_t step)>;

// Returns the number of calls of the denoiser (NFE) in N steps: N, or 2 N - 1 for heun.
int64_t network_calls(Sampler sampler, int64_t num_steps);

// Takes z [B, ...] from grid[N] (noise) down to grid[0] = 0 and returns x, in [-1, 1] with clip_x.
// The grid is as sampling_grid returns it. heun and dpmpp_2m end with a DDIM step; dpmpp_2m also
// begins with one. Throws ConfigError for a grid that does not start at 0 or has no step, and if
// the ancestral sampler has no noise.
Tensor sample(const Denoiser& denoiser, Tensor z, const std::vector<double>& grid,
              const Condition& condition, const SampleOptions& options,
              const NoiseAt& noise_at = {});

// Returns the nearest uint8 level of x in [-1, 1]: floor(127.5 x + 128), clipped to 0..255. (The
// official notebook truncates instead.)
Tensor to_uint8(const Tensor& x);
// Returns x = pixel / 127.5 - 1, float32.
Tensor from_uint8(const Tensor& pixels);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_SAMPLE_H_
