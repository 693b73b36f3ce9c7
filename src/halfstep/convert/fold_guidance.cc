#include "halfstep/convert/fold_guidance.h"

#include <map>
#include <memory>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/diffusion/guidance.h"
#include "halfstep/nn/time_embedding.h"
#include "halfstep/nn/unet_plan.h"

namespace halfstep {
namespace {

void require_weight(const ModelSpec& spec, double w) {
  const auto fail = [&](const std::string& expected) {
    throw ConfigError("convert",
                      "guidance: expected " + expected + ", received " + text_of_guidance(w));
  };
  if (guidance_channels(spec.network) == 0)
    fail("none, because this model does not take a guidance weight as an input");
  const double least = *spec.sampling.guidance_min;
  const double most = *spec.sampling.guidance_max;
  if (!(w >= least && w <= most)) {
    fail("a number from " + text_of_guidance(least) + " to " + text_of_guidance(most) +
         ", which this model was made for");
  }
}

}  // namespace

Model fold_guidance(const Model& model, double w) {
  require_weight(model.spec(), w);
  ModelSpec spec = model.spec();
  const int64_t ch = guidance_channels(spec.network);
  set_guidance_channels(spec.network, 0);
  spec.sampling.guidance_min = spec.sampling.guidance_max = w;
  std::unique_ptr<Network> network = make_network(spec);

  std::map<std::string, Tensor> weights;
  for (const auto& [name, tensor] : model.network().parameters())
    weights.emplace(name, tensor.detach().cpu());
  const auto in_float64 = [&](const std::string& name) { return weights.at(name).to(at::kDouble); };
  const Tensor embedding = guidance_embedding(at::full({1}, w, at::kDouble), ch).to(at::kDouble);
  const Tensor projected =
      in_float64(std::string(kGuidanceProjection) + ".weight").matmul(embedding[0]);
  const Tensor part = in_float64("dense0.weight").matmul(projected);
  weights["dense0.bias"] = (in_float64("dense0.bias") + part).to(at::kFloat);
  {
    const ParameterEditor editor(*network);
    for (const NamedTensor& parameter : editor.parameters())
      parameter.tensor.copy_(weights.at(parameter.name));
  }
  return {std::move(spec), std::move(network)};
}

}  // namespace halfstep
