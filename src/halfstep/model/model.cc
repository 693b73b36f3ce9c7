#include "halfstep/model/model.h"

#include "halfstep/core/error.h"
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

}  // namespace

void validate(const ModelSpec& spec) {
  validate(spec.network);
  require_compatible(spec.output, Schedule(spec.schedule));
  const int64_t channels = raw_channels(spec.output, input_shape(spec.network).front());
  if (output_channels(spec.network) != channels) {
    throw ConfigError("ModelSpec", "out_channels: expected " + std::to_string(channels) +
                                       " for output " + std::string(name_of(spec.output)) +
                                       ", received " +
                                       std::to_string(output_channels(spec.network)));
  }
  if (spec.num_steps < 0) {
    throw ConfigError("ModelSpec",
                      "num_steps: expected 0 or more, received " + std::to_string(spec.num_steps));
  }
  const auto names = static_cast<int64_t>(spec.class_names.size());
  if (names != 0 && names != num_classes(spec.network)) {
    throw ConfigError("ModelSpec", "class_names: expected " +
                                       std::to_string(num_classes(spec.network)) +
                                       " or none, received " + std::to_string(names));
  }
}

std::unique_ptr<Network> make_network(const ModelSpec& spec) {
  return std::visit([&](const auto& options) { return make(options, spec.schedule); },
                    spec.network);
}

RawOutput raw_output(const Network& network) {
  return [&network](const Tensor& z, const Tensor& phi, const Condition& condition) {
    return network.forward(z, phi, condition);
  };
}

Denoiser make_denoiser(const Network& network, Output output) {
  return make_denoiser(raw_output(network), output);
}

}  // namespace halfstep
