// A noise schedule maps time t in [0, 1] to an increasing angle phi(t): t = 0 is data, t = 1 noise.
#ifndef HALFSTEP_DIFFUSION_SCHEDULE_H_
#define HALFSTEP_DIFFUSION_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"

namespace halfstep {

// Bounds on numbers from flags and files, far beyond any use. They keep grids and tables small.
inline constexpr int64_t kMostSteps = 1'000'000;
inline constexpr int64_t kMostTimesteps = 1'000'000;

// A range of log-SNR; that of Salimans & Ho 2022 is [-20, 20].
struct LogsnrRange {
  double min = -20.0;
  double max = 20.0;
};

// The cosine schedule of Salimans & Ho 2022, alpha = cos(pi t / 2): linear in phi. Clipped, as in
// the official code, phi(t) = a t + b runs between the angles of the two log-SNRs; unclipped,
// phi(t) = pi t / 2.
struct CosineSchedule {
  std::optional<LogsnrRange> clip = LogsnrRange{};
};

// DDPM's schedule (Ho et al. 2020): beta_k is linear from beta_first to beta_last over `timesteps`
// (2 to kMostTimesteps), and alpha_k^2 = prod (1 - beta).
struct LinearBetaSchedule {
  int64_t timesteps = 1000;
  double beta_first = 1e-4;
  double beta_last = 0.02;
};

// Any discrete schedule: phi[k] is the angle at t = (k + 1) / phi.size(), increasing, in (0, pi/2].
// There are at most kMostTimesteps.
struct TableSchedule {
  std::vector<double> phi;
};

using ScheduleOptions = std::variant<CosineSchedule, LinearBetaSchedule, TableSchedule>;

// The function phi(t) and its inverse. Discrete schedules are linear in phi between their nodes,
// with an additional node phi(0) = 0. Immutable, so safe to use from several threads.
class Schedule {
 public:
  // Throws ConfigError unless the options give an increasing schedule in [0, pi/2].
  explicit Schedule(ScheduleOptions options = CosineSchedule{});

  // All clamp their argument to the range of the schedule.
  double phi(double t) const;
  Tensor phi(const Tensor& t) const;  // [B] -> float64 [B], on the CPU
  Tensor t(const Tensor& phi) const;  // float64 [B] -> float64 [B], on the device of phi

  // Returns phi at t = k / (nodes - 1): float64, on the CPU.
  Tensor nodes() const;

  const ScheduleOptions& options() const { return options_; }

 private:
  ScheduleOptions options_;
  std::vector<double> nodes_;  // phi at t = k / (nodes - 1)
};

// Returns Schedule::t(phi) for the schedule with these nodes, which are on the device of phi.
Tensor time_of_phi(const Tensor& phi, const Tensor& nodes);

// How the steps of a sampler are spaced.
enum class Spacing {
  time,   // uniform in t, which is what models are distilled for
  logsnr  // uniform in log-SNR between t = 0.001 and t = 0.999, as in DPM-Solver
};

template <>
struct EnumNames<Spacing> {
  static constexpr auto kNames = std::to_array<std::pair<Spacing, std::string_view>>(
      {{Spacing::time, "time"}, {Spacing::logsnr, "logsnr"}});
};

// Returns the angles phi_0 = 0 < ... < phi_N = phi(1) of a sampler with N steps; `spacing` places
// those in between. phi_0 is 0 even if the schedule is clipped: the last step returns x_hat itself,
// as the official sampler does. Throws ConfigError unless 1 <= N <= kMostSteps.
std::vector<double> sampling_grid(const Schedule& schedule, int64_t num_steps,
                                  Spacing spacing = Spacing::time);

// The angles of one student step for each example, float64 [B].
struct StepAngles {
  Tensor phi_t;               // where the step begins
  std::vector<Tensor> phi_m;  // where the teacher's substeps meet, from t downward
  Tensor phi_s;               // where the step ends
};
// Returns the angles of student step i = `step` [B] of N, from t = (i + 1) / N to s = i / N, with
// phi_s = 0 at i = 0 as in the sampling grid. The teacher makes it in `substeps` steps of equal
// length in t (Algorithm 2 has two, which meet at one midpoint m).
StepAngles step_angles(const Schedule& schedule, const Tensor& step, int64_t num_steps,
                       int64_t substeps = 2);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_SCHEDULE_H_
