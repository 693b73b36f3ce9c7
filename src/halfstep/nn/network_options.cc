#include "halfstep/nn/network_options.h"

namespace halfstep {

void validate(const NetworkOptions& network) {
  std::visit([](const auto& options) { validate(options); }, network);
}

std::vector<int64_t> input_shape(const NetworkOptions& network) {
  const ImageShape image = image_shape(network);
  return {image.channels, image.size, image.size};
}

ImageShape image_shape(const NetworkOptions& network) {
  return std::visit(
      [](const auto& options) {
        return ImageShape{.channels = options.in_channels, .size = options.image_size};
      },
      network);
}

int64_t output_channels(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return options.out_channels; }, network);
}

int64_t num_classes(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return options.num_classes; }, network);
}

bool has_dropout(const NetworkOptions& network) {
  return std::visit([](const auto& options) { return options.dropout > 0.0; }, network);
}

void fit(NetworkOptions& network, const DataShape& data) {
  std::visit(
      [&](auto& options) {
        options.image_size = data.image.size;
        options.in_channels = data.image.channels;
        options.out_channels = data.output_channels;
        options.num_classes = data.num_classes;
      },
      network);
}

}  // namespace halfstep
