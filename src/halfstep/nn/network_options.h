// The kinds of network that a model can have, and the properties that all of them share. To add a
// kind, write an options struct with its JSON name as kType, add it to the variant, extend the
// functions of network_options.cc and network_cost.cc, and add a case to make_network
// (model/model.cc); JSON and model files follow from that. model/model_file.cc handles networks
// whose weights are not named tensors in a safetensors file.
#ifndef HALFSTEP_NN_NETWORK_OPTIONS_H_
#define HALFSTEP_NN_NETWORK_OPTIONS_H_

#include <cstdint>
#include <variant>
#include <vector>

#include "halfstep/core/precision.h"
#include "halfstep/nn/external_options.h"
#include "halfstep/nn/torchscript_network.h"
#include "halfstep/nn/unet2d_options.h"
#include "halfstep/nn/unet_options.h"

namespace halfstep {

using NetworkOptions =
    std::variant<UNetOptions, UNet2dOptions, TorchScriptOptions, ExternalOptions>;

struct ImageShape {
  int64_t channels = 0;
  int64_t size = 0;  // height and width, pixels
};

// Throws ConfigError that names the field.
void validate(const NetworkOptions& network);

// Returns whether the network is code that is stored in its file together with the weights.
bool is_torchscript(const NetworkOptions& network);
// Returns whether the network is code that the caller of the library has.
bool is_external(const NetworkOptions& network);
// Returns whether the network is code of either kind. It computes in float32 only, and halfstep
// cannot change its inputs or write it in another format.
bool is_code(const NetworkOptions& network);

// Returns the shape of z for one example: [C, H, W] for images.
std::vector<int64_t> input_shape(const NetworkOptions& network);
// Returns whether examples are images in [-1, 1], which are clipped while sampling and stored as
// 8-bit pixels: for a U-Net, whether it has 1 or 3 channels. Others are for latents and the like.
bool is_image(const NetworkOptions& network);
// Returns the shape of the square images of the network. Throws ConfigError for code.
ImageShape image_shape(const NetworkOptions& network);
// Returns the number of channels of the raw output.
int64_t output_channels(const NetworkOptions& network);
// Returns the number of classes; with 0 or 1 the network takes no labels.
int64_t num_classes(const NetworkOptions& network);
// Returns the width of the embedding of the guidance weight, which is an input of the network; 0 if
// the network does not take it.
int64_t guidance_channels(const NetworkOptions& network);
// Adds that input to a network without it, or removes it. Throws ConfigError for code,
// unless `channels` is 0.
void set_guidance_channels(NetworkOptions& network, int64_t channels);
// Returns the number of channels of the image that the network is conditioned on; 0 if there is no
// such input.
int64_t condition_channels(const NetworkOptions& network);

// The options that the data set determines when a network is trained on it.
struct DataShape {
  ImageShape image;
  int64_t output_channels = 0;
  int64_t num_classes = 0;
  int64_t condition_channels = 0;
};
// Sets these options. Throws ConfigError for code, which fixes them.
void fit(NetworkOptions& network, const DataShape& data);

// Returns the fastest precision of the device that the network supports.
Precision best_precision(const NetworkOptions& network, const at::Device& device);

// The rounding error of bfloat16 does not depend on the number of steps, but the change that a
// halving makes shrinks with it. Students of more steps than this end more than 3 % worse when they
// are distilled in bfloat16 (docs/performance.md).
inline constexpr int64_t kMostStepsInBf16 = 32;

// Returns the precision that `choice` means for this network on this device. `automatic` is
// best_precision, except that a network distilled to more than kMostStepsInBf16 steps is trained in
// fp32. num_steps is 0 for sampling and for training from data.
Precision resolve(PrecisionChoice choice, const NetworkOptions& network, const at::Device& device,
                  int64_t num_steps = 0);

}  // namespace halfstep

#endif  // HALFSTEP_NN_NETWORK_OPTIONS_H_
