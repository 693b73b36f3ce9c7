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

#include "halfstep/core/precision.h"
#include "halfstep/nn/torchscript_network.h"
#include "halfstep/nn/unet2d_options.h"
#include "halfstep/nn/unet_options.h"

namespace halfstep {

using NetworkOptions = std::variant<UNetOptions, UNet2dOptions, TorchScriptOptions>;

struct ImageShape {
  int64_t channels = 0;
  int64_t size = 0;  // height and width, pixels
};

// Throws ConfigError that names the field.
void validate(const NetworkOptions& network);

// Whether the network is code that comes in its file, with the weights.
bool is_torchscript(const NetworkOptions& network);

// z of one example, [C, H, W] for images.
std::vector<int64_t> input_shape(const NetworkOptions& network);
// Whether an example is an image in [-1, 1]: clipped while it is sampled, and seen as 8-bit pixels.
bool is_image(const NetworkOptions& network);
// The shape of the square images of a network that is made for any size. Throws ConfigError for
// another.
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
// Throws ConfigError for a network that comes in its file.
void fit(NetworkOptions& network, const DataShape& data);

// The best of the device that the network can compute in.
Precision best_precision(const NetworkOptions& network, const at::Device& device);

// The rounding error of bfloat16 does not shrink with the number of steps, but what a halving
// changes does: students of more steps than this end more than 3 % worse when they are distilled
// in bfloat16 (docs/performance.md).
inline constexpr int64_t kMostStepsInBf16 = 32;

// Returns the precision that `choice` means for this network on this device. `automatic` is
// best_precision, except that a network distilled to more than kMostStepsInBf16 steps is trained in
// fp32. num_steps is 0 for sampling and for training from data.
Precision resolve(PrecisionChoice choice, const NetworkOptions& network, const at::Device& device,
                  int64_t num_steps = 0);

}  // namespace halfstep

#endif  // HALFSTEP_NN_NETWORK_OPTIONS_H_
