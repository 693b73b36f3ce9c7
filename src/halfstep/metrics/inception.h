// The Inception-v3 network that defines the Fréchet Inception Distance: 2048 features, 1008
// classes.
#ifndef HALFSTEP_METRICS_INCEPTION_H_
#define HALFSTEP_METRICS_INCEPTION_H_

#include <functional>
#include <string>
#include <vector>

#include "halfstep/io/safetensors.h"
#include "halfstep/metrics/feature_network.h"

namespace halfstep::metrics {

// The graph of TensorFlow's inception-2015-12-05 (Szegedy et al. 2015, arXiv 1512.00567), as
// torch-fidelity ports it:
//   images      resized to 299 x 299 by resize_bilinear_tensorflow1, then (pixel - 128) / 128.
//               (pytorch-fid differs here: F.interpolate's pixel centres and 2 pixel / 255 - 1)
//   layers      the published network except for its pooling: averages exclude the padding, and
//               Mixed_7c uses max pooling. Convolution, batch normalisation (eps 1e-3), ReLU
//   features    the mean of Mixed_7c over its 8 x 8 pixels ("pool_3")
//   logits      fc.weight features without the bias, as the Inception Score uses them
// Tensors have the names of torch-fidelity and pytorch-fid: "Conv2d_1a_3x3.conv.weight",
// "Mixed_5b.branch1x1.bn.running_mean", "fc.weight", without num_batches_tracked.
class Inception final : public FeatureNetwork {
 public:
  // Throws FormatError, naming `where`, if the tensors are not those of the network.
  Inception(const io::SafetensorsFile& file, const std::string& name, const std::string& where);
  ~Inception() override;

  const FeatureSpec& spec() const override { return spec_; }
  Features operator()(const Tensor& images) const override { return run(images, nullptr); }
  void to(const at::Device& device) override;

  // Receives the name of a layer ("input" for the scaled images, "Conv2d_1a_3x3", "MaxPool_1",
  // "Mixed_5b", ...) and its output [B, C, H, W].
  using LayerObserver = std::function<void(const std::string& name, const Tensor& output)>;
  // As operator(), and calls the observer, if any, with the output of each layer in order.
  Features run(const Tensor& images, const LayerObserver& observer) const;

  struct Layer;

 private:
  std::vector<Layer> layers_;
  Tensor classifier_;  // [1008, 2048]
  FeatureSpec spec_;
};

// TensorFlow 1's resize_bilinear(align_corners=False), which has no half-pixel centres: the output
// pixel i lies at i H / H' of the input, between rows floor and floor + 1, the last one repeated.
// float32 [B, C, H, W] -> [B, C, height, width]
Tensor resize_bilinear_tensorflow1(const Tensor& images, int64_t height, int64_t width);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_INCEPTION_H_
