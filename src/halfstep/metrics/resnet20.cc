#include "halfstep/metrics/resnet20.h"

#include <ATen/Functions.h>
#include <c10/core/InferenceMode.h>

#include "halfstep/core/error.h"
#include "halfstep/metrics/feature_weights.h"

namespace halfstep::metrics {
namespace {

class Block {
 public:
  Block(FeatureWeights& weights, const std::string& name, int64_t in, int64_t out)
      : conv1_(weights, {.conv = name + ".conv1",
                         .norm = name + ".bn1",
                         .in = in,
                         .out = out,
                         .stride = out / in}),
        conv2_(weights, {.conv = name + ".conv2", .norm = name + ".bn2", .in = out, .out = out}),
        pad_((out - in) / 2) {}

  Tensor operator()(const Tensor& x) const {
    const Tensor y = conv2_(conv1_(x).relu_());
    if (pad_ == 0) return (y + x).relu_();
    const Tensor shortcut = x.slice(2, 0, std::nullopt, 2).slice(3, 0, std::nullopt, 2);
    return (y + at::constant_pad_nd(shortcut, {0, 0, 0, 0, pad_, pad_})).relu_();
  }

  void to(const at::Device& device) {
    conv1_.to(device);
    conv2_.to(device);
  }

 private:
  NormedConv conv1_, conv2_;
  int64_t pad_;  // zero channels on each side of the shortcut
};

// Returns one value per channel as float32 [1, C, 1, 1].
Tensor per_channel(const std::vector<double>& values, int64_t channels, const std::string& where,
                   const char* what) {
  if (static_cast<int64_t>(values.size()) != channels) {
    throw FormatError(where, std::string(what) + ": expected one number for each of " +
                                 std::to_string(channels) + " channels, received " +
                                 std::to_string(values.size()));
  }
  return at::tensor(values).view({1, channels, 1, 1}).to(at::kFloat);
}

class ResNet20 final : public FeatureNetwork {
 public:
  ResNet20(FeatureWeights weights, const ResNet20Options& options, const std::string& where)
      : conv1_(weights, {.conv = "conv1", .norm = "bn1", .in = -1, .out = 16}) {
    int64_t in = 16;
    for (int layer = 1; layer <= 3; ++layer) {
      const int64_t out = int64_t{8} << layer;
      for (int block = 0; block < 3; ++block) {
        blocks_.emplace_back(weights, "layer" + std::to_string(layer) + "." + std::to_string(block),
                             in, out);
        in = out;
      }
    }
    weight_ = weights.take("linear.weight", {-1, 64});
    bias_ = weights.take("linear.bias", {weight_.size(0)});
    weights.require_all_taken();
    mean_ = per_channel(options.mean, conv1_.in_channels(), where, "mean");
    std_ = per_channel(options.std, conv1_.in_channels(), where, "std");
    spec_ = {.name = options.name,
             .num_features = 64,
             .num_logits = weight_.size(0),
             .in_channels = conv1_.in_channels()};
  }

  const FeatureSpec& spec() const override { return spec_; }

  Features operator()(const Tensor& images) const override {
    const c10::InferenceMode inference;
    const Tensor pixels = images_for(*this, images).to(mean_.device());
    Tensor x = (pixels.to(at::kFloat).div_(255.0) - mean_) / std_;
    x = conv1_(x.contiguous(at::MemoryFormat::ChannelsLast)).relu_();
    for (const Block& block : blocks_) x = block(x);
    const Tensor features = x.mean({2, 3});
    return {.features = features, .logits = at::linear(features, weight_, bias_)};
  }

  void to(const at::Device& device) override {
    conv1_.to(device);
    for (Block& block : blocks_) block.to(device);
    for (Tensor* tensor : {&weight_, &bias_, &mean_, &std_}) *tensor = tensor->to(device);
  }

 private:
  NormedConv conv1_;
  std::vector<Block> blocks_;
  Tensor weight_, bias_;  // of the classifier
  Tensor mean_, std_;     // [1, C, 1, 1]
  FeatureSpec spec_;
};

}  // namespace

std::unique_ptr<FeatureNetwork> make_resnet20(const io::SafetensorsFile& file,
                                              const ResNet20Options& options,
                                              const std::string& where) {
  return std::make_unique<ResNet20>(FeatureWeights(file, where), options, where);
}

}  // namespace halfstep::metrics
