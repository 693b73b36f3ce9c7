// Discrete schedules as DDPM and its descendants write them: beta_k of timestep k = 0 ... T - 1,
// with alpha_k^2 = cos^2(phi_k) = prod over j <= k of (1 - beta_j). (Ho et al. 2020.)
#ifndef HALFSTEP_DIFFUSION_BETAS_H_
#define HALFSTEP_DIFFUSION_BETAS_H_

#include <cstdint>
#include <vector>

namespace halfstep {

std::vector<double> phi_of_betas(const std::vector<double>& betas);
// beta_k = sin(phi_k - phi_(k-1)) sin(phi_k + phi_(k-1)) / cos^2(phi_(k-1)), with phi_(-1) = 0
std::vector<double> betas_of_phi(const std::vector<double>& phi);

// beta linear from first to last.
std::vector<double> linear_betas(int64_t timesteps, double first, double last);
// sqrt(beta) linear. (Latent diffusion.)
std::vector<double> scaled_linear_betas(int64_t timesteps, double first, double last);
// alpha^2(t) = cos^2((t + 0.008) / 1.008 pi/2), beta at most 0.999. (Nichol & Dhariwal 2021.)
std::vector<double> squared_cosine_betas(int64_t timesteps);

// alpha_k moved and scaled so that the first stays and the last is 0. (Lin et al. 2024, Algorithm
// 1.)
std::vector<double> with_zero_terminal_snr(const std::vector<double>& phi);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_BETAS_H_
