// Discrete schedules as DDPM (Ho et al. 2020) and later models write them: beta_k of timestep
// k = 0 ... T - 1, with alpha_k^2 = cos^2(phi_k) = prod over j <= k of (1 - beta_j).
#ifndef HALFSTEP_DIFFUSION_BETAS_H_
#define HALFSTEP_DIFFUSION_BETAS_H_

#include <cstdint>
#include <vector>

namespace halfstep {

// Returns the angle of each timestep.
std::vector<double> phi_of_betas(const std::vector<double>& betas);
// Returns beta_k = sin(phi_k - phi_(k-1)) sin(phi_k + phi_(k-1)) / cos^2(phi_(k-1)), phi_(-1) = 0.
std::vector<double> betas_of_phi(const std::vector<double>& phi);

// Returns betas that are linear from `first` to `last`.
std::vector<double> linear_betas(int64_t timesteps, double first, double last);
// Returns betas whose square roots are linear (latent diffusion, Rombach et al. 2022).
std::vector<double> scaled_linear_betas(int64_t timesteps, double first, double last);
// Returns the betas of alpha^2(t) = cos^2((t + 0.008) / 1.008 pi/2), capped at 0.999 (Nichol &
// Dhariwal 2021).
std::vector<double> squared_cosine_betas(int64_t timesteps);

// Shifts and scales alpha_k so that the first value stays and the last becomes 0 (Lin et al. 2024,
// Algorithm 1).
std::vector<double> with_zero_terminal_snr(const std::vector<double>& phi);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_BETAS_H_
