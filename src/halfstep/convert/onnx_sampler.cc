#include "halfstep/convert/onnx_sampler.h"

#include <utility>

#include "halfstep/diffusion/ancestral.h"
#include "halfstep/diffusion/ddim.h"

namespace halfstep {
namespace {

Tensor wide(double value) {
  return at::full({1, 1}, value, at::TensorOptions().dtype(at::kDouble));
}

Tensor angle(double phi) { return at::full({1}, phi, at::TensorOptions().dtype(at::kDouble)); }

// The coefficients of x = of_z z + the sum of of_raw[i] raw[i], in which raw[i] is the i-th of the
// quantities that the network predicts. predict() is linear, so they are its values at unit
// vectors.
struct XCoefficients {
  double of_z = 0.0;
  std::vector<double> of_raw;
};

XCoefficients x_coefficients(Output output, double phi) {
  const int64_t quantities = raw_channels(output, 1);
  const auto x_at = [&](double z, int64_t which) {
    const Tensor raw = at::zeros({1, quantities}, at::TensorOptions().dtype(at::kDouble));
    if (which >= 0) raw[0][which] = 1.0;
    return predict(output, raw, wide(z), angle(phi)).x.item<double>();
  };
  XCoefficients coefficients{.of_z = x_at(1.0, -1), .of_raw = {}};
  for (int64_t i = 0; i < quantities; ++i) coefficients.of_raw.push_back(x_at(0.0, i));
  return coefficients;
}

// The coefficients of z_s = of_z z + of_x x + of_noise noise.
struct StepCoefficients {
  double of_z = 0.0;
  double of_x = 0.0;
  double of_noise = 0.0;
};

StepCoefficients step_coefficients(const SampleOptions& options, double phi_t, double phi_s) {
  if (options.sampler == Sampler::ancestral) {
    const auto posterior = [&](double z, double x) {
      return ancestral_posterior(wide(z), wide(x), angle(phi_t), angle(phi_s), options.variance);
    };
    return {.of_z = posterior(1.0, 0.0).mean.item<double>(),
            .of_x = posterior(0.0, 1.0).mean.item<double>(),
            .of_noise = posterior(0.0, 0.0).std.item<double>()};
  }
  // eps is what z and x imply, whether or not x was clipped.
  const auto step = [&](double z, double x) {
    const Prediction prediction = clip({.x = wide(x), .eps = {}}, wide(z), angle(phi_t));
    return ddim_step(prediction, angle(phi_s)).item<double>();
  };
  return {.of_z = step(1.0, 0.0), .of_x = step(0.0, 1.0)};
}

// Adds factor * value to a sum, which may be empty; nothing if the factor is 0.
OnnxValue plus(OnnxGraph& graph, const OnnxValue& sum, double factor, const OnnxValue& value) {
  if (factor == 0.0) return sum;
  const OnnxValue term = factor == 1.0 ? value : graph.scaled(value, factor);
  return sum.empty() ? term : graph.add(sum, term);
}

OnnxValue x_of(OnnxGraph& graph, const XCoefficients& coefficients, const OnnxValue& z,
               const OnnxValue& raw) {
  const size_t quantities = coefficients.of_raw.size();
  const std::vector<OnnxValue> parts =
      quantities == 1 ? std::vector<OnnxValue>{raw}
                      : graph.nodes("Split", {raw}, {{"axis", int64_t{1}}}, quantities);
  OnnxValue x = plus(graph, "", coefficients.of_z, z);
  for (size_t i = 0; i < quantities; ++i) x = plus(graph, x, coefficients.of_raw[i], parts[i]);
  return x;
}

}  // namespace

OnnxValue onnx_sample(OnnxGraph& graph, const OnnxSampler& sampler, const OnnxValue& noise) {
  const auto num_steps = static_cast<int64_t>(sampler.grid.size()) - 1;
  OnnxValue z = noise;
  for (int64_t step = num_steps; step > 0; --step) {
    const double phi_t = sampler.grid[static_cast<size_t>(step)];
    const double phi_s = sampler.grid[static_cast<size_t>(step) - 1];
    const std::string scope = "step_" + std::to_string(step);
    const OnnxValue raw = sampler.raw(z, phi_t, scope);
    graph.set_scope(scope);
    OnnxValue x = x_of(graph, x_coefficients(sampler.output, phi_t), z, raw);
    if (sampler.options.clip_x) x = graph.node("Clip", {x, graph.scalar(-1.0), graph.scalar(1.0)});
    if (step == 1) return x;
    const StepCoefficients coefficients = step_coefficients(sampler.options, phi_t, phi_s);
    OnnxValue next = plus(graph, "", coefficients.of_z, z);
    next = plus(graph, next, coefficients.of_x, x);
    if (coefficients.of_noise != 0.0) {
      // The noise of this step, a number that is an index without a size.
      const OnnxValue drawn = graph.node(
          "Gather",
          {sampler.step_noise, graph.initializer("index_" + std::to_string(num_steps - step),
                                                 at::scalar_tensor(num_steps - step, at::kLong))});
      next = plus(graph, next, coefficients.of_noise, drawn);
    }
    z = next;
  }
  return z;
}

}  // namespace halfstep
