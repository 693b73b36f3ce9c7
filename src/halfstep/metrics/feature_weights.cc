#include "halfstep/metrics/feature_weights.h"

#include <ATen/Functions.h>

#include "halfstep/core/error.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::metrics {

Tensor FeatureWeights::take(const std::string& name, const std::vector<int64_t>& shape) {
  const auto found = file_.tensors().find(name);
  const bool exists = found != file_.tensors().end();
  bool fits =
      exists && found->second.dtype == io::DType::f32 && found->second.shape.size() == shape.size();
  for (size_t d = 0; fits && d < shape.size(); ++d)
    fits = shape[d] == -1 || shape[d] == found->second.shape[d];
  if (!fits) {
    throw FormatError(where_, name + ": expected f32 " + io::to_string(shape) + ", received " +
                                  (exists ? std::string(io::name_of(found->second.dtype)) + " " +
                                                io::to_string(found->second.shape)
                                          : "no such tensor"));
  }
  taken_.insert(name);
  return to_tensor(found->second);
}

void FeatureWeights::require_all_taken() const {
  for (const auto& [name, view] : file_.tensors()) {
    if (!taken_.contains(name))
      throw FormatError(where_,
                        name + ": expected only the network's tensors, received an unknown one");
  }
}

NormedConv::NormedConv(FeatureWeights& weights, const Options& options)
    : stride_(options.stride), padding_(options.padding) {
  const Tensor weight =
      weights
          .take(options.conv + ".weight",
                {options.out, options.in, options.kernel_size[0], options.kernel_size[1]})
          .to(at::kDouble);
  const auto norm_parameter = [&](const char* name) {
    return weights.take(options.norm + "." + name, {options.out}).to(at::kDouble);
  };
  const Tensor scale =
      norm_parameter("weight") / (norm_parameter("running_var") + options.eps).sqrt();
  weight_ = (weight * scale.view({-1, 1, 1, 1}))
                .to(at::kFloat)
                .contiguous(at::MemoryFormat::ChannelsLast);
  bias_ = (norm_parameter("bias") - norm_parameter("running_mean") * scale).to(at::kFloat);
}

Tensor NormedConv::operator()(const Tensor& x) const {
  // As at::conv2d, except that GPUs must not round to TF32.
  return at::_convolution(x, weight_, bias_, {stride_, stride_}, padding_, /*dilation=*/{1, 1},
                          /*transposed=*/false, /*output_padding=*/{0, 0}, /*groups=*/1,
                          /*benchmark=*/false, /*deterministic=*/false, /*cudnn_enabled=*/true,
                          /*allow_tf32=*/false);
}

void NormedConv::to(const at::Device& device) {
  weight_ = weight_.to(device);
  bias_ = bias_.to(device);
}

}  // namespace halfstep::metrics
