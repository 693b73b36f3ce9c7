// The kinds of network that a model can have, and what all above nn/ asks of one without knowing
// which it is. A new kind is an options struct with its word as kType, an alternative of the
// variant, its answers in network_options.cc and network_cost.cc, and its case in make_network
// (model/model.cc); JSON and model files follow. Where its weights are no named tensors in a
// safetensors file, model/model_file.cc is the place that knows files.
#ifndef HALFSTEP_NN_NETWORK_OPTIONS_H_
#define HALFSTEP_NN_NETWORK_OPTIONS_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "halfstep/nn/unet2d_options.h"
#include "halfstep/nn/unet_options.h"

namespace halfstep {

using NetworkOptions = std::variant<UNetOptions, UNet2dOptions>;

struct ImageShape {
  int64_t channels = 0;
  int64_t size = 0;  // height and width, pixels
};

// Throws ConfigError that names the field.
void validate(const NetworkOptions& network);

// z of one example, [C, H, W] for images.
std::vector<int64_t> input_shape(const NetworkOptions& network);
// The same, of a network of images.
ImageShape image_shape(const NetworkOptions& network);
// Channels of the raw output.
int64_t output_channels(const NetworkOptions& network);
// Labels; 0 or 1: none.
int64_t num_classes(const NetworkOptions& network);
// Whether it has dropout while it is trained.
bool has_dropout(const NetworkOptions& network);

// What a data set decides of a network that is to be trained on it.
struct DataShape {
  ImageShape image;
  int64_t output_channels = 0;
  int64_t num_classes = 0;
};
void fit(NetworkOptions& network, const DataShape& data);

}  // namespace halfstep

#endif  // HALFSTEP_NN_NETWORK_OPTIONS_H_
