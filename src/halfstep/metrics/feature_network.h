// Networks that turn images into the features that distances between sets of images are taken on.
#ifndef HALFSTEP_METRICS_FEATURE_NETWORK_H_
#define HALFSTEP_METRICS_FEATURE_NETWORK_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "halfstep/core/tensor.h"

namespace halfstep::metrics {

struct Features {
  Tensor features;  // float32 [B, num_features]
  Tensor logits;    // float32 [B, num_logits]; undefined where num_logits is 0
};

struct FeatureSpec {
  std::string name;          // "Inception", "ResNet20-CIFAR10", a TorchScript file's stem
  int64_t num_features = 0;  // D
  int64_t num_logits = 0;    // classes; 0: there is no classifier, and so no Inception Score
  int64_t in_channels = 0;   // 1 or 3; 0: any
};

class FeatureNetwork {
 public:
  virtual ~FeatureNetwork() = default;

  virtual const FeatureSpec& spec() const = 0;

  // Of uint8 images [B, C, H, W], on the CPU or the network's device. Gray images are given to a
  // network of three channels as three equal ones. Computed in float32, without a graph; an image's
  // features do not depend on the images beside it, but for rounding. Throws ConfigError for images
  // of another type, rank or number of channels.
  virtual Features operator()(const Tensor& images) const = 0;

  virtual void to(const at::Device& device) = 0;
};

// What a network's operator() begins with: its checks, and gray images as three equal channels.
Tensor images_for(const FeatureNetwork& network, const Tensor& images);

// Whatever the file is:
//   NAME.safetensors  with the metadata key "halfstep_features": JSON {"network": "resnet20" or
//                     "inception", "name", "mean" and "std" (a number a channel, of pixels in
//                     [0, 1]; resnet20 only)}; tools/ has the scripts that write them
//   NAME.pt           TorchScript: uint8 images [B, C, H, W] -> features [B, D]. It is code: only
//                     files that you trust.
// Throws FormatError for a file that is neither, or whose tensors are not the network's.
std::unique_ptr<FeatureNetwork> load_feature_network(const std::filesystem::path& path);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_FEATURE_NETWORK_H_
