#include "halfstep/diffusion/schedule.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/betas.h"

namespace halfstep {
namespace {

std::vector<double> nodes_of(const CosineSchedule& cosine) {
  if (!cosine.clip) return {0.0, kHalfPi};
  if (!(cosine.clip->min < cosine.clip->max)) {
    throw ConfigError("Schedule", "logsnr range: expected min < max, received " +
                                      std::to_string(cosine.clip->min) + " and " +
                                      std::to_string(cosine.clip->max));
  }
  return {phi_of_logsnr(cosine.clip->max), phi_of_logsnr(cosine.clip->min)};
}

// Prepends the node phi(0) = 0.
std::vector<double> from_data(std::vector<double> phi) {
  phi.insert(phi.begin(), 0.0);
  return phi;
}

std::vector<double> nodes_of(const LinearBetaSchedule& linear) {
  if (linear.timesteps < 2 || linear.timesteps > kMostTimesteps || !(linear.beta_first > 0.0) ||
      !(linear.beta_last < 1.0) || !(linear.beta_first <= linear.beta_last)) {
    throw ConfigError("Schedule", "linear beta: expected 2 to " + std::to_string(kMostTimesteps) +
                                      " timesteps and 0 < beta_first <= beta_last < 1, received " +
                                      std::to_string(linear.timesteps) + ", " +
                                      std::to_string(linear.beta_first) + " and " +
                                      std::to_string(linear.beta_last));
  }
  return from_data(
      phi_of_betas(linear_betas(linear.timesteps, linear.beta_first, linear.beta_last)));
}

std::vector<double> nodes_of(const TableSchedule& table) {
  if (static_cast<int64_t>(table.phi.size()) > kMostTimesteps) {
    throw ConfigError("Schedule", "table: expected at most " + std::to_string(kMostTimesteps) +
                                      " angles, received " + std::to_string(table.phi.size()));
  }
  return from_data(table.phi);
}

// NaN counts as not increasing. This also rejects long schedules of large betas, whose last angles
// are all pi/2.
std::vector<double> require_increasing(std::vector<double> nodes) {
  const auto bad =
      std::adjacent_find(nodes.begin(), nodes.end(), [](double a, double b) { return !(a < b); });
  if (nodes.size() < 2 || bad != nodes.end() || nodes.back() > kHalfPi) {
    throw ConfigError(
        "Schedule",
        "angles: expected at least one, increasing in (0, pi/2], received " +
            (bad == nodes.end()
                 ? std::to_string(nodes.size() - 1) + " up to " + std::to_string(nodes.back())
                 : std::to_string(bad[1]) + " after " + std::to_string(bad[0])));
  }
  return nodes;
}

}  // namespace

Schedule::Schedule(ScheduleOptions options)
    : options_(std::move(options)),
      nodes_(require_increasing(
          std::visit([](const auto& schedule) { return nodes_of(schedule); }, options_))) {}

double Schedule::phi(double t) const {
  const double last = static_cast<double>(nodes_.size() - 1);
  const double position = std::clamp(t, 0.0, 1.0) * last;
  const double node = std::min(std::floor(position), last - 1.0);
  const auto k = static_cast<size_t>(node);
  return std::lerp(nodes_[k], nodes_[k + 1], position - node);
}

Tensor Schedule::phi(const Tensor& t) const {
  Tensor angles = t.to(at::kCPU, at::kDouble).contiguous().clone();
  double* value = angles.data_ptr<double>();
  std::transform(value, value + angles.numel(), value, [this](double time) { return phi(time); });
  return angles;
}

Tensor Schedule::nodes() const { return at::tensor(nodes_, at::kDouble); }

Tensor Schedule::t(const Tensor& phi) const { return time_of_phi(phi, nodes().to(phi.device())); }

Tensor time_of_phi(const Tensor& phi, const Tensor& nodes) {
  const int64_t intervals = nodes.size(0) - 1;
  const Tensor clamped = phi.to(at::kDouble).clamp(nodes[0], nodes[intervals]).contiguous();
  // The number of nodes at or below phi, apart from the first and the last.
  const Tensor k = at::searchsorted(nodes.narrow(0, 1, intervals - 1), clamped,
                                    /*out_int32=*/false, /*right=*/true);
  const Tensor below = nodes.index_select(0, k);
  const Tensor fraction = (clamped - below) / (nodes.index_select(0, k + 1) - below);
  return (k + fraction) / static_cast<double>(intervals);
}

std::vector<double> sampling_grid(const Schedule& schedule, int64_t num_steps, Spacing spacing) {
  if (num_steps < 1 || num_steps > kMostSteps) {
    throw ConfigError("sampling_grid", "num_steps: expected 1 to " + std::to_string(kMostSteps) +
                                           ", received " + std::to_string(num_steps));
  }
  constexpr double kEdge = 1e-3;  // in t; log-SNR is infinite at t = 0 and, unclipped, at t = 1
  const double cleanest = logsnr_of_phi(schedule.phi(kEdge));
  const double noisiest = logsnr_of_phi(schedule.phi(1.0 - kEdge));
  std::vector<double> grid = {0.0};
  for (int64_t k = 1; k < num_steps; ++k) {
    const double fraction = static_cast<double>(k) / static_cast<double>(num_steps);
    grid.push_back(spacing == Spacing::time
                       ? schedule.phi(fraction)
                       : phi_of_logsnr(std::lerp(cleanest, noisiest, fraction)));
  }
  grid.push_back(schedule.phi(1.0));
  return grid;
}

StepAngles step_angles(const Schedule& schedule, const Tensor& step, int64_t num_steps,
                       int64_t substeps) {
  const Tensor i = step.to(at::kCPU, at::kDouble);
  const auto n = static_cast<double>(num_steps);
  std::vector<Tensor> phi_m;
  for (int64_t k = substeps - 1; k > 0; --k) {
    const double part = static_cast<double>(k) / static_cast<double>(substeps);
    phi_m.push_back(schedule.phi((i + part) / n));
  }
  return {.phi_t = schedule.phi((i + 1.0) / n),
          .phi_m = std::move(phi_m),
          .phi_s = at::where(i == 0, at::zeros_like(i), schedule.phi(i / n))};
}

}  // namespace halfstep
