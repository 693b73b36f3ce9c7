// The weights of a feature network's file, and the layer that most of them go into.
#ifndef HALFSTEP_METRICS_FEATURE_WEIGHTS_H_
#define HALFSTEP_METRICS_FEATURE_WEIGHTS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/io/safetensors.h"

namespace halfstep::metrics {

// Hands out the tensors of a file by name, each with the shape that the network gives it.
class FeatureWeights {
 public:
  FeatureWeights(const io::SafetensorsFile& file, std::string where)
      : file_(file), where_(std::move(where)) {}

  // float32. -1 in `shape` stands for any size. Throws FormatError where the tensor is not there
  // or is of another type or shape.
  Tensor take(const std::string& name, const std::vector<int64_t>& shape);

  // Throws FormatError, naming one, where tensors are left that no layer took.
  void require_all_taken() const;

 private:
  const io::SafetensorsFile& file_;
  std::string where_;  // the file, for messages
  std::set<std::string> taken_;
};

// Convolution without bias, then batch normalisation by its running statistics, as one convolution:
//   y = conv(x, w g / sqrt(var + eps)) + b - mean g / sqrt(var + eps)
class NormedConv {
 public:
  struct Options {
    std::string conv;  // prefixes of the names: "conv1" for "conv1.weight"
    std::string norm;
    int64_t in = 0;  // -1: as the file says
    int64_t out = 0;
    std::vector<int64_t> kernel_size = {3, 3};
    int64_t stride = 1;
    std::vector<int64_t> padding = {1, 1};
    double eps = 1e-5;
  };

  NormedConv(FeatureWeights& weights, const Options& options);

  Tensor operator()(const Tensor& x) const;  // [B, in, H, W] -> [B, out, H', W']
  int64_t in_channels() const { return weight_.size(1); }
  void to(const at::Device& device);

 private:
  Tensor weight_;  // [out, in, kh, kw]
  Tensor bias_;    // [out]
  int64_t stride_;
  std::vector<int64_t> padding_;
};

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_FEATURE_WEIGHTS_H_
