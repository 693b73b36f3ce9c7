#include "halfstep/diffusion/parameterization.h"

#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/angle.h"

namespace halfstep {
namespace {

Tensor eps_of(const Tensor& x, const Tensor& z, const Tensor& phi) {
  return (z - per_example(z, phi.cos()) * x) / per_example(z, phi.sin());
}

}  // namespace

Tensor v_of(const Prediction& prediction, const Tensor& phi) {
  return per_example(prediction.eps, phi.cos()) * prediction.eps -
         per_example(prediction.x, phi.sin()) * prediction.x;
}

Tensor own_output(Output output, const Tensor& raw, const Tensor& phi) {
  if (output != Output::x_and_eps) return raw;
  if (raw.size(1) % 2 != 0) {
    throw ConfigError("own_output",
                      "raw: expected an even number of channels for x_and_eps, received " +
                          std::to_string(raw.size(1)));
  }
  const std::vector<Tensor> halves = raw.chunk(2, 1);
  return v_of({.x = halves[0], .eps = halves[1]}, phi);
}

Tensor own_output(Output output, const Prediction& target, const Tensor& phi) {
  switch (output) {
    case Output::x:
      return target.x;
    case Output::eps:
      return target.eps;
    case Output::v:
    case Output::x_and_eps:
      break;
  }
  return v_of(target, phi);
}

Prediction predict(Output output, const Tensor& raw, const Tensor& z, const Tensor& phi) {
  const Tensor own = own_output(output, raw, phi);
  switch (output) {
    case Output::x:
      return {.x = own, .eps = eps_of(own, z, phi)};
    case Output::eps:
      return {.x = (z - per_example(z, phi.sin()) * own) / per_example(z, phi.cos()), .eps = own};
    case Output::v:
    case Output::x_and_eps:
      break;
  }
  const Tensor alpha = per_example(z, phi.cos());
  const Tensor sigma = per_example(z, phi.sin());
  return {.x = alpha * z - sigma * own, .eps = sigma * z + alpha * own};
}

Prediction clip(const Prediction& prediction, const Tensor& z, const Tensor& phi) {
  const Tensor x = prediction.x.clamp(-1.0, 1.0);
  return {.x = x, .eps = eps_of(x, z, phi)};
}

void require_compatible(Output output, const Schedule& schedule) {
  if (output == Output::eps && schedule.phi(1.0) >= kHalfPi) {
    throw ConfigError(
        "require_compatible",
        "output: expected x, v or x_and_eps with a schedule that reaches pure noise (phi = pi/2), "
        "received eps, which does not determine x there; clip the schedule or predict v");
  }
}

}  // namespace halfstep
