#include "halfstep/nn/network_options.h"

#include <concepts>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/nn/code_shape.h"

namespace halfstep {
namespace {

// Options of a network that is code.
template <class Options>
concept Code = std::derived_from<Options, CodeShape>;

template <Code Options>
[[noreturn]] void refuse(const Options&, const char* where) {
  throw ConfigError(where,
                    "network: expected a type that halfstep builds, such as unet, received " +
                        std::string(Options::kType) + ", which is code");
}

template <class Options>
std::vector<int64_t> input_shape_of(const Options& options) {
  if constexpr (Code<Options>) {
    return options.shape;
  } else {
    return {options.in_channels, options.image_size, options.image_size};
  }
}

template <class Options>
bool is_image_of(const Options& options) {
  if constexpr (Code<Options>) {
    return options.images;
  } else {
    return options.in_channels == 1 || options.in_channels == 3;
  }
}

template <class Options>
ImageShape image_shape_of(const Options& options) {
  if constexpr (Code<Options>) {
    refuse(options, "image_shape");
  } else {
    return {.channels = options.in_channels, .size = options.image_size};
  }
}

template <class Options>
int64_t guidance_channels_of(const Options& options) {
  if constexpr (Code<Options>) {
    return 0;
  } else {
    return options.guidance_ch;
  }
}

template <class Options>
void set_guidance_channels_of(Options& options, int64_t channels) {
  if constexpr (Code<Options>) {
    if (channels != 0) refuse(options, "guidance");
  } else {
    options.guidance_ch = channels;
  }
}

template <class Options>
void fit_to(Options& options, const DataShape& data) {
  if constexpr (Code<Options>) {
    refuse(options, "fit");
  } else {
    options.image_size = data.image.size;
    options.in_channels = data.image.channels;
    options.out_channels = data.output_channels;
    options.num_classes = data.num_classes;
    options.condition_ch = data.condition_channels;
  }
}

}  // namespace

void validate(const ExternalOptions& options) { validate("ExternalOptions", options); }

void validate(const NetworkOptions& network) {
  std::visit([](const auto& options) { validate(options); }, network);
}

bool is_torchscript(const NetworkOptions& network) {
  return std::holds_alternative<TorchScriptOptions>(network);
}

bool is_external(const NetworkOptions& network) {
  return std::holds_alternative<ExternalOptions>(network);
}

bool is_code(const NetworkOptions& network) {
  return is_torchscript(network) || is_external(network);
}

std::vector<int64_t> input_shape(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return input_shape_of(options); }, network);
}

bool is_image(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return is_image_of(options); }, network);
}

ImageShape image_shape(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return image_shape_of(options); }, network);
}

int64_t output_channels(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return options.out_channels; }, network);
}

int64_t num_classes(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return options.num_classes; }, network);
}

int64_t guidance_channels(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return guidance_channels_of(options); }, network);
}

int64_t condition_channels(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return options.condition_ch; }, network);
}

void set_guidance_channels(NetworkOptions& network, int64_t channels) {
  std::visit([&](auto& options) { set_guidance_channels_of(options, channels); }, network);
}

void fit(NetworkOptions& network, const DataShape& data) {
  std::visit([&](auto& options) { fit_to(options, data); }, network);
}

Precision best_precision(const NetworkOptions& network, const at::Device& device) {
  return is_code(network) ? Precision::fp32 : best_precision(device);
}

Precision resolve(PrecisionChoice choice, const NetworkOptions& network, const at::Device& device,
                  int64_t num_steps) {
  switch (choice) {
    case PrecisionChoice::fp32:
      return Precision::fp32;
    case PrecisionChoice::bf16:
      return Precision::bf16;
    case PrecisionChoice::automatic:
      break;
  }
  return num_steps > kMostStepsInBf16 ? Precision::fp32 : best_precision(network, device);
}

}  // namespace halfstep
