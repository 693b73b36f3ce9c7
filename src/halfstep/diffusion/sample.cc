#include "halfstep/diffusion/sample.h"

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/ancestral.h"
#include "halfstep/diffusion/ddim.h"
#include "halfstep/diffusion/solvers.h"

namespace halfstep {

int64_t network_calls(Sampler sampler, int64_t num_steps) {
  return sampler == Sampler::heun ? 2 * num_steps - 1 : num_steps;
}

Tensor sample(const Denoiser& denoiser, Tensor z, const std::vector<double>& grid,
              const Condition& condition, const SampleOptions& options, const NoiseAt& noise_at) {
  if (grid.size() < 2 || grid.front() != 0.0) {
    throw ConfigError("sample", "grid: expected at least two angles, the first 0, received " +
                                    std::to_string(grid.size()));
  }
  if (options.sampler == Sampler::ancestral && !noise_at) {
    throw ConfigError(
        "sample", "noise_at: expected a source of noise for the ancestral sampler, received none");
  }
  const auto predict_at = [&](const Tensor& z_at, const Tensor& phi) {
    const Prediction prediction = denoiser(z_at, phi, condition);
    return options.clip_x ? clip(prediction, z_at, phi) : prediction;
  };

  const Tensor angles = at::tensor(grid, at::kDouble).to(z.device());
  const auto angle_for_all = [&](int64_t k) { return angles[k].expand({z.size(0)}); };
  Tensor phi_r;  // angle and x of the previous step, for dpmpp_2m
  Tensor x_r;
  const auto num_steps = static_cast<int64_t>(grid.size()) - 1;
  Tensor phi_t = angle_for_all(num_steps);
  for (int64_t step = num_steps; step > 0; --step) {
    const Tensor phi_s = angle_for_all(step - 1);
    const Prediction at_t = predict_at(z, phi_t);
    if (step == 1) {
      z = ddim_step(at_t, phi_s);
    } else if (options.sampler == Sampler::ancestral) {
      z = ancestral_step(z, at_t.x, phi_t, phi_s, options.variance, noise_at(step));
    } else if (options.sampler == Sampler::heun) {
      const Tensor v_t = v_of(at_t, phi_t);
      const Prediction at_s = predict_at(euler_step(z, v_t, phi_t, phi_s), phi_s);
      z = heun_step(z, v_t, v_of(at_s, phi_s), phi_t, phi_s);
    } else if (options.sampler == Sampler::dpmpp_2m && x_r.defined()) {
      z = dpmpp_2m_step(z, at_t.x, x_r, phi_r, phi_t, phi_s);
    } else {
      z = ddim_step(at_t, phi_s);
    }
    phi_r = phi_t;
    x_r = at_t.x;
    phi_t = phi_s;
  }
  return z;
}

Tensor to_uint8(const Tensor& x) {
  return (x * 127.5 + 128.0).floor_().clamp_(0.0, 255.0).to(at::kByte);
}

Tensor from_uint8(const Tensor& pixels) { return pixels.to(at::kFloat).div_(127.5).sub_(1.0); }

}  // namespace halfstep
