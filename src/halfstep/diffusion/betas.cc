#include "halfstep/diffusion/betas.h"

#include <algorithm>
#include <cmath>

#include "halfstep/diffusion/angle.h"

namespace halfstep {

std::vector<double> phi_of_betas(const std::vector<double>& betas) {
  std::vector<double> phi;
  double log_alpha_squared = 0.0;
  for (const double beta : betas) {
    log_alpha_squared += std::log1p(-beta);
    // tan(phi) = sigma / alpha, where sigma^2 = 1 - alpha^2 is computed without cancellation.
    const double sigma_squared = -std::expm1(log_alpha_squared);
    phi.push_back(std::atan2(std::sqrt(sigma_squared), std::exp(0.5 * log_alpha_squared)));
  }
  return phi;
}

std::vector<double> betas_of_phi(const std::vector<double>& phi) {
  std::vector<double> betas;
  double before = 0.0;
  for (const double angle : phi) {
    const double cosine = std::cos(before);
    betas.push_back(std::sin(angle - before) * std::sin(angle + before) / (cosine * cosine));
    before = angle;
  }
  return betas;
}

std::vector<double> linear_betas(int64_t timesteps, double first, double last) {
  std::vector<double> betas;
  for (int64_t k = 0; k < timesteps; ++k) {
    const double fraction = static_cast<double>(k) / static_cast<double>(timesteps - 1);
    betas.push_back(std::lerp(first, last, fraction));
  }
  return betas;
}

std::vector<double> scaled_linear_betas(int64_t timesteps, double first, double last) {
  std::vector<double> betas = linear_betas(timesteps, std::sqrt(first), std::sqrt(last));
  for (double& beta : betas) beta *= beta;
  return betas;
}

std::vector<double> squared_cosine_betas(int64_t timesteps) {
  constexpr double kOffset = 0.008;
  constexpr double kMost = 0.999;
  const auto alpha_squared = [&](int64_t k) {
    const double t = static_cast<double>(k) / static_cast<double>(timesteps);
    const double cosine = std::cos((t + kOffset) / (1.0 + kOffset) * kHalfPi);
    return cosine * cosine;
  };
  std::vector<double> betas;
  for (int64_t k = 0; k < timesteps; ++k)
    betas.push_back(std::min(1.0 - alpha_squared(k + 1) / alpha_squared(k), kMost));
  return betas;
}

std::vector<double> with_zero_terminal_snr(const std::vector<double>& phi) {
  const double first = std::cos(phi.front());
  const double last = std::cos(phi.back());
  std::vector<double> moved;
  for (const double angle : phi)
    moved.push_back(std::acos((std::cos(angle) - last) * first / (first - last)));
  return moved;
}

}  // namespace halfstep
