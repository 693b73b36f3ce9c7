// A noise schedule: time t in [0, 1] -> angle phi(t), increasing; t = 0 is data, t = 1 is noise.
#ifndef HALFSTEP_DIFFUSION_SCHEDULE_H_
#define HALFSTEP_DIFFUSION_SCHEDULE_H_

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/tensor.h"

namespace halfstep {

// A range of log-SNR; the paper's is [-20, 20].
struct LogsnrRange {
  double min = -20.0;
  double max = 20.0;
};

// The paper's cosine schedule, alpha = cos(pi t / 2): a straight line in phi. Clipped (the official
// code), phi(t) = a t + b runs between the angles of the two log-SNRs; unclipped,
// phi(t) = pi t / 2.
struct CosineSchedule {
  std::optional<LogsnrRange> clip = LogsnrRange{};
};

// DDPM's schedule (Ho et al. 2020): beta_k linear from beta_first to beta_last over `timesteps`,
// alpha_k^2 = prod (1 - beta).
struct LinearBetaSchedule {
  int64_t timesteps = 1000;
  double beta_first = 1e-4;
  double beta_last = 0.02;
};

// Any discrete schedule: phi[k] is the angle at t = (k + 1) / phi.size(), increasing, in (0, pi/2].
struct TableSchedule {
  std::vector<double> phi;
};

using ScheduleOptions = std::variant<CosineSchedule, LinearBetaSchedule, TableSchedule>;

// The function phi(t) and its inverse. The discrete schedules are linear in phi between their
// nodes, with a node phi(0) = 0. Throws ConfigError for options that make no increasing schedule in
// [0, pi/2].
class Schedule {
 public:
  explicit Schedule(ScheduleOptions options = CosineSchedule{});

  double phi(double t) const;
  double t(double phi) const;
  Tensor phi(const Tensor& t) const;  // [B] -> float64 [B]

  const ScheduleOptions& options() const { return options_; }

 private:
  ScheduleOptions options_;
  std::vector<double> nodes_;  // phi at t = k / (nodes - 1)
};

// Where a sampler's steps begin and end.
enum class Spacing {
  time,   // uniform in t: what models are distilled for
  logsnr  // uniform in log-SNR between t = 0.001 and 0.999, as DPM-Solver has it
};

template <>
struct EnumNames<Spacing> {
  static constexpr auto kNames = std::to_array<std::pair<Spacing, std::string_view>>(
      {{Spacing::time, "time"}, {Spacing::logsnr, "logsnr"}});
};

// The angles phi_0 = 0 < ... < phi_N = phi(1) of a sampler with N steps; `spacing` is of those in
// between. phi_0 is 0 also where the schedule is clipped: the last step returns x_hat itself (the
// official sampler does).
std::vector<double> sampling_grid(const Schedule& schedule, int64_t num_steps,
                                  Spacing spacing = Spacing::time);

// The angles of student step i of N for each example: from t = (i + 1) / N to s = i / N, with
// phi_s = 0 at i = 0 as in the sampling grid, and those in between where one of the teacher's
// `substeps` ends and the next begins, from t downward. (Algorithm 2, where there are two substeps
// and one midpoint m.)
struct StepAngles {
  Tensor phi_t;
  std::vector<Tensor> phi_m;
  Tensor phi_s;
};
StepAngles step_angles(const Schedule& schedule, const Tensor& step, int64_t num_steps,
                       int64_t substeps = 2);

}  // namespace halfstep

#endif  // HALFSTEP_DIFFUSION_SCHEDULE_H_
