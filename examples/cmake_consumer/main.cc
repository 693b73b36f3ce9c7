// Draws samples without a network. For images whose pixels are independent normal numbers,
// x ~ N(0, 1), the optimal denoiser is known: x_hat = cos(phi) z, eps_hat = sin(phi) z. With the
// unclipped cosine schedule, each of N deterministic steps then multiplies z by cos(pi / 2N).
#include <cmath>
#include <cstdio>

#include "halfstep/core/version.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/sample.h"
#include "halfstep/diffusion/schedule.h"

int main() {
  using namespace halfstep;

  const Denoiser denoiser = [](const Tensor& z, const Tensor& phi, const Condition&) {
    return Prediction{.x = per_example(z, phi.cos()) * z, .eps = per_example(z, phi.sin()) * z};
  };
  const Schedule schedule(CosineSchedule{.clip = std::nullopt});
  const int64_t num_steps = 4;
  const Tensor z = at::ones({1, 3, 8, 8});
  const Tensor x =
      sample(denoiser, z, sampling_grid(schedule, num_steps), Condition{}, {.clip_x = false});

  const double expected = std::pow(std::cos(kHalfPi / num_steps), num_steps);
  const double received = x.mean().item<double>();
  std::printf("halfstep %s: 1 -> %.6f in %d steps, expected %.6f\n", std::string(version()).c_str(),
              received, static_cast<int>(num_steps), expected);
  return std::abs(received - expected) < 1e-5 ? 0 : 1;
}
