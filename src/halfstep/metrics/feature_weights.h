// Reads the weights of a feature network from its file.
#ifndef HALFSTEP_METRICS_FEATURE_WEIGHTS_H_
#define HALFSTEP_METRICS_FEATURE_WEIGHTS_H_

#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/io/safetensors.h"

namespace halfstep::metrics {

// Gives out the tensors of a file by name and checks their shapes.
class FeatureWeights {
 public:
  FeatureWeights(const io::SafetensorsFile& file, std::string where)
      : file_(file), where_(std::move(where)) {}

  // Returns a float32 tensor. -1 in `shape` stands for any size. Throws FormatError if the tensor
  // is missing or has another type or shape.
  Tensor take(const std::string& name, const std::vector<int64_t>& shape);

  // Throws FormatError, naming a tensor, if the file has tensors that were not taken.
  void require_all_taken() const;

 private:
  const io::SafetensorsFile& file_;
  std::string where_;  // the file, for messages
  std::set<std::string> taken_;
};

// A convolution without bias followed by batch normalisation with running statistics (mean, var)
// and affine parameters (g, b), folded into one convolution:
//   y = conv(x, w g / sqrt(var + eps)) + b - mean g / sqrt(var + eps)
class NormedConv {
 public:
  struct Options {
    std::string conv;  // prefixes of tensor names: "conv1" for "conv1.weight"
    std::string norm;
    int64_t in = 0;  // -1: as in the file
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
