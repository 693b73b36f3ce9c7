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
  std::vector<double> mean;  // of the training images, a number a channel, pixels in [0, 1]
  std::vector<double> std;
};

// Tensors as akamaster/pytorch_resnet_cifar10 names them:
//   conv1, bn1; layer1 to layer3, each of blocks 0 to 2 with conv1, bn1, conv2, bn2; linear
// with 16, 32 and 64 channels. Layers 2 and 3 begin with a stride of 2, where the shortcut takes
// every second pixel and puts channels of zeros on both sides. Features are the mean over the last
// layer's pixels. Images of any size, [0, 255] -> (pixel / 255 - mean) / std. Throws FormatError.
std::unique_ptr<FeatureNetwork> make_resnet20(const io::SafetensorsFile& file,
                                              const ResNet20Options& options,
                                              const std::string& where);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_RESNET20_H_
