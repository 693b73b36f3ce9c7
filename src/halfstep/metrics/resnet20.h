// ResNet-20 for small images (He et al. 2016, section 4.2, option A): 64 features, 10 classes.
#ifndef HALFSTEP_METRICS_RESNET20_H_
#define HALFSTEP_METRICS_RESNET20_H_

#include <memory>
#include <string>
#include <vector>

#include "halfstep/io/safetensors.h"
#include "halfstep/metrics/feature_network.h"

namespace halfstep::metrics {

struct ResNet20Options {
  std::string name;
  std::vector<double> mean;  // of the training images, per channel, for pixels in [0, 1]
  std::vector<double> std;
};

// Makes the network from tensors with the names of akamaster/pytorch_resnet_cifar10:
//   conv1, bn1; layer1 to layer3, each of blocks 0 to 2 with conv1, bn1, conv2, bn2; linear
// with 16, 32 and 64 channels. Layers 2 and 3 start with stride 2; their shortcut takes every
// second pixel and pads the channels with zeros on both sides. The features are the mean over the
// pixels of the last layer. Images may have any size; pixels in [0, 255] are scaled to (pixel / 255
// - mean) / std. Throws FormatError if the tensors are not those of the network.
std::unique_ptr<FeatureNetwork> make_resnet20(const io::SafetensorsFile& file,
                                              const ResNet20Options& options,
                                              const std::string& where);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_RESNET20_H_
