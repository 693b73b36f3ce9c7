// Networks that map images to features, on which the distances between sets of images are computed.
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
  std::string name;          // "Inception", "ResNet20-CIFAR10"; the stem of a TorchScript file
  int64_t num_features = 0;  // D
  int64_t num_logits = 0;    // number of classes; 0: no classifier, hence no Inception Score
  int64_t in_channels = 0;   // 1 or 3; 0: any
  bool defines_fid = false;  // the Inception-v3 that FID is defined with, by its layers and name
};

class FeatureNetwork {
 public:
  virtual ~FeatureNetwork() = default;

  virtual const FeatureSpec& spec() const = 0;

  // Computes the features of uint8 images [B, C, H, W] that are on the CPU or on the network's
  // device, in float32 and without building a graph. A network of three channels gets grey images
  // as three equal channels. Apart from rounding, the features of an image do not depend on the
  // rest of the batch. Throws ConfigError for images of another type, rank or number of channels.
  virtual Features operator()(const Tensor& images) const = 0;

  virtual void to(const at::Device& device) = 0;
};

// Checks images as operator() requires, and expands grey ones to three channels if needed.
Tensor images_for(const FeatureNetwork& network, const Tensor& images);

// Loads a feature network from either kind of file:
//   NAME.safetensors  with the metadata key "halfstep_features": JSON {"network": "resnet20" or
//                     "inception", "name", "mean" and "std" (one number per channel, for pixels in
//                     [0, 1]; resnet20 only)}. The scripts in tools/ write such files.
//   NAME.pt           TorchScript: uint8 images [B, C, H, W] -> features [B, D], and a method
//                     `logits` if it classifies: see torchscript_features.h. TorchScript files
//                     contain code; load only files that you trust.
// Throws FormatError for any other file, and if the tensors are not those of the network.
std::unique_ptr<FeatureNetwork> load_feature_network(const std::filesystem::path& path);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_FEATURE_NETWORK_H_
