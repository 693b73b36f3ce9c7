#include "halfstep/objective/moment_matching.h"

#include <ATen/Functions.h>

#include "halfstep/diffusion/angle.h"
#include "halfstep/diffusion/weighting.h"

namespace halfstep {

StepAngles moment_angles(const Schedule& schedule, int64_t num_steps,
                         const std::vector<RandomKey>& keys) {
  const auto options = at::TensorOptions().dtype(at::kDouble);
  Tensor t = at::empty({static_cast<int64_t>(keys.size())}, options);
  Tensor s = at::empty_like(t);
  const auto n = static_cast<double>(num_steps);
  for (size_t e = 0; e < keys.size(); ++e) {
    RandomKey within = keys[e];
    ++within.site;
    const auto step = static_cast<double>(uniform_int(keys[e], static_cast<uint64_t>(num_steps)));
    t.data_ptr<double>()[e] = (step + 1.0) / n;
    s.data_ptr<double>()[e] = (step + uniform(within)) / n;
  }
  return {.phi_t = schedule.phi(t), .phi_m = {}, .phi_s = schedule.phi(s)};
}

Tensor auxiliary_loss(Output output, const Tensor& raw, const Tensor& z_s, const Tensor& phi_s,
                      const Tensor& sample, const Prediction& teacher) {
  const auto loss = [&](const Prediction& target) {
    return weighted_loss(output, Weighting::snr_plus_one, raw, target, phi_s);
  };
  return loss(predict(Output::x, sample, z_s, phi_s)) + loss(teacher);
}

Tensor moment_loss(const Tensor& sample, const Tensor& auxiliary, const Tensor& teacher) {
  constexpr double kLeastDistance = 0.01;
  const Tensor distance = (sample.detach() - teacher).abs().flatten(1).mean(1);
  const Tensor direction =
      (auxiliary - teacher) / per_example(sample, distance.clamp_min(kLeastDistance));
  return (sample * direction).flatten(1).mean(1);
}

}  // namespace halfstep
