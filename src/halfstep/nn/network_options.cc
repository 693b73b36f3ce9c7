#include "halfstep/nn/network_options.h"

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

[[noreturn]] void refuse_torchscript(const char* where) {
  throw ConfigError(where,
                    "network: expected a type that halfstep builds, such as unet, received "
                    "torchscript, whose code is in its file");
}

std::vector<int64_t> input_shape_of(const TorchScriptOptions& options) { return options.shape; }
template <class Options>
std::vector<int64_t> input_shape_of(const Options& options) {
  return {options.in_channels, options.image_size, options.image_size};
}

ImageShape image_shape_of(const TorchScriptOptions&) { refuse_torchscript("image_shape"); }
template <class Options>
ImageShape image_shape_of(const Options& options) {
  return {.channels = options.in_channels, .size = options.image_size};
}

int64_t guidance_channels_of(const TorchScriptOptions&) { return 0; }
template <class Options>
int64_t guidance_channels_of(const Options& options) {
  return options.guidance_ch;
}

void set_guidance_channels_of(TorchScriptOptions&, int64_t channels) {
  if (channels != 0) refuse_torchscript("guidance");
}
template <class Options>
void set_guidance_channels_of(Options& options, int64_t channels) {
  options.guidance_ch = channels;
}

bool has_dropout_of(const TorchScriptOptions&) { return false; }
template <class Options>
bool has_dropout_of(const Options& options) {
  return options.dropout > 0.0;
}

void fit_to(TorchScriptOptions&, const DataShape&) { refuse_torchscript("fit"); }
template <class Options>
void fit_to(Options& options, const DataShape& data) {
  options.image_size = data.image.size;
  options.in_channels = data.image.channels;
  options.out_channels = data.output_channels;
  options.num_classes = data.num_classes;
}

}  // namespace

void validate(const NetworkOptions& network) {
  std::visit([](const auto& options) { validate(options); }, network);
}

bool is_torchscript(const NetworkOptions& network) {
  return std::holds_alternative<TorchScriptOptions>(network);
}

std::vector<int64_t> input_shape(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return input_shape_of(options); }, network);
}

bool is_image(const NetworkOptions& network) {
  if (const auto* torchscript = std::get_if<TorchScriptOptions>(&network))
    return torchscript->images;
  const int64_t channels = image_shape(network).channels;
  return channels == 1 || channels == 3;
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

void set_guidance_channels(NetworkOptions& network, int64_t channels) {
  std::visit([&](auto& options) { set_guidance_channels_of(options, channels); }, network);
}

bool has_dropout(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return has_dropout_of(options); }, network);
}

void fit(NetworkOptions& network, const DataShape& data) {
  std::visit([&](auto& options) { fit_to(options, data); }, network);
}

Precision best_precision(const NetworkOptions& network, const at::Device& device) {
  return is_torchscript(network) ? Precision::fp32 : best_precision(device);
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
