#include "halfstep/model/model.h"

#include <cmath>
#include <optional>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/model/forward_graphs.h"
#include "halfstep/nn/unet.h"

namespace halfstep {
namespace {

std::unique_ptr<Network> make(const UNetOptions& options, const ScheduleOptions&) {
  return std::make_unique<UNet>(options);
}

std::unique_ptr<Network> make(const UNet2dOptions& options, const ScheduleOptions& schedule) {
  return std::make_unique<UNet>(plan_of(options, schedule));
}

std::unique_ptr<Network> make(const TorchScriptOptions&, const ScheduleOptions&) {
  throw ConfigError("make_network",
                    "expected a kind of network that halfstep makes, such as unet, received "
                    "torchscript, which comes in its file");
}

std::unique_ptr<Network> make(const ExternalOptions& options, const ScheduleOptions&) {
  throw ConfigError("make_network",
                    "expected a kind of network that halfstep makes, such as unet, received "
                    "external, whose code is not in its file (" +
                        one_line(options.code) +
                        "); load it in the program that has the code, and give a function that "
                        "makes the network");
}

// A network denoises what it is given, so it returns as many channels as it takes, once per
// predicted quantity.
void require_output_channels(const ModelSpec& spec) {
  const int64_t channels = raw_channels(spec.output, input_shape(spec.network).front());
  if (output_channels(spec.network) == channels) return;
  throw ConfigError("ModelSpec", "out_channels: expected " + std::to_string(channels) +
                                     " for output " + std::string(name_of(spec.output)) +
                                     ", received " + std::to_string(output_channels(spec.network)));
}

void require_condition(const ModelSpec& spec) {
  const std::vector<int64_t> shape = input_shape(spec.network);
  if (spec.condition.is_on()) {
    if (!is_image(spec.network))
      throw ConfigError("ModelSpec", "condition: expected none for non-image data, received " +
                                         spec.condition.text());
    require_restorable(spec.condition, shape[0], shape[1], shape[2]);
  }
  const int64_t expected = condition_channels(spec.condition, shape[0]);
  const int64_t received = condition_channels(spec.network);
  if (received == expected) return;
  throw ConfigError("ModelSpec", "condition_ch: expected " + std::to_string(expected) +
                                     " for the condition " + spec.condition.text() + ", received " +
                                     std::to_string(received));
}

void require_sampling(const Sampling& sampling) {
  const auto fail = [](const std::string& what, double received) {
    throw ConfigError("ModelSpec", what + ", received " + std::to_string(received));
  };
  if (sampling.num_steps < 0 || sampling.num_steps > kMostSteps) {
    throw ConfigError("ModelSpec", "num_steps: expected 0 to " + std::to_string(kMostSteps) +
                                       ", received " + std::to_string(sampling.num_steps));
  }
  if (!(sampling.variance >= 0.0 && sampling.variance <= 1.0))
    fail("variance: expected a number in [0, 1]", sampling.variance);
  for (const std::optional<double>& bound : {sampling.guidance_min, sampling.guidance_max}) {
    if (bound && !std::isfinite(*bound)) fail("guidance: expected finite bounds", *bound);
  }
  if (sampling.guidance_min && sampling.guidance_max &&
      *sampling.guidance_min > *sampling.guidance_max) {
    fail("guidance_max: expected at least guidance_min, " + std::to_string(*sampling.guidance_min),
         *sampling.guidance_max);
  }
}

bool same_device(const at::Device& wanted, const at::Device& current) {
  return wanted.type() == current.type() &&
         (!wanted.has_index() || wanted.index() == current.index());
}

// A network that takes the weight needs its range, outside of which it was not trained.
void require_guidance(const ModelSpec& spec) {
  if (guidance_channels(spec.network) == 0) return;
  if (spec.sampling.guidance_min && spec.sampling.guidance_max && !spec.sampling.fixed_guidance())
    return;
  throw ConfigError("ModelSpec",
                    "guidance_min and guidance_max: expected a range, because the network takes "
                    "the guidance weight, received one weight or none");
}

}  // namespace

struct Model::State {
  ModelSpec spec;
  std::unique_ptr<Network> network;
  Precision precision = Precision::fp32;
  std::unique_ptr<ForwardGraphs> graphs;  // of the network
};

Model::Model(ModelSpec spec, std::unique_ptr<Network> network, Precision precision) {
  if (!network) throw ConfigError("Model", "network: expected one, received null");
  network->set_precision(precision);
  auto graphs = std::make_unique<ForwardGraphs>(*network);
  state_ = std::make_shared<const State>(State{.spec = std::move(spec),
                                               .network = std::move(network),
                                               .precision = precision,
                                               .graphs = std::move(graphs)});
}

const ModelSpec& Model::spec() const { return state_->spec; }

const Network& Model::network() const { return *state_->network; }

at::Device Model::device() const { return network().parameters().front().tensor.device(); }

Precision Model::precision() const { return state_->precision; }

Model Model::on(const at::Device& device, Precision precision) const {
  if (same_device(device, this->device()) && precision == this->precision()) return *this;
  std::unique_ptr<Network> copy = network().clone();
  copy->to(device);
  return {spec(), std::move(copy), precision};
}

void validate(const ModelSpec& spec) {
  validate(spec.network);
  require_compatible(spec.output, Schedule(spec.schedule));
  require_output_channels(spec);
  require_condition(spec);
  require_sampling(spec.sampling);
  require_guidance(spec);
  const auto names = static_cast<int64_t>(spec.class_names.size());
  if (names != 0 && names != num_classes(spec.network)) {
    throw ConfigError("ModelSpec", "class_names: expected " +
                                       std::to_string(num_classes(spec.network)) +
                                       " or none, received " + std::to_string(names));
  }
}

std::unique_ptr<Network> make_network(const ModelSpec& spec, const NetworkFactory& factory) {
  if (is_external(spec.network) && factory) return factory(spec);
  return std::visit([&](const auto& options) { return make(options, spec.schedule); },
                    spec.network);
}

RawOutput raw_output(const Network& network) {
  return [&network](const Tensor& z, const Tensor& phi, const Condition& condition) {
    return network.forward(z, phi, condition);
  };
}

RawOutput raw_output(const Model& model) {
  return [graphs = model.state_->graphs.get()](const Tensor& z, const Tensor& phi,
                                               const Condition& condition) {
    return (*graphs)(z, phi, condition);
  };
}

Denoiser make_denoiser(const Network& network, Output output) {
  return make_denoiser(raw_output(network), output);
}

}  // namespace halfstep
