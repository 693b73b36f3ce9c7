#include "halfstep/metrics/torchscript_features.h"

#include <c10/core/InferenceMode.h>

#include <exception>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/array.h"
#include "halfstep/nn/torchscript_module.h"

namespace halfstep::metrics {
namespace {

namespace fs = std::filesystem;

constexpr int64_t kProbeSize = 32;  // pixels per side

torch::jit::Module load(const fs::path& path) {
  torch::jit::ExtraFilesMap no_texts;
  return load_torchscript(path, no_texts);
}

class TorchScriptFeatures final : public FeatureNetwork {
 public:
  explicit TorchScriptFeatures(const fs::path& path)
      : where_(path.string()), module_(load(path)), spec_{.name = path.stem().string()} {
    const c10::FunctionSchema& schema = module_.get_method("forward").function().getSchema();
    if (schema.argumentIndexWithName("return_features")) arguments_["return_features"] = true;
    std::exception_ptr refusal;
    for (const int64_t channels : {3, 1}) {
      try {
        probe(channels);
        return;
      } catch (const FormatError&) {
        if (!refusal) refusal = std::current_exception();
      }
    }
    std::rethrow_exception(refusal);
  }

  const FeatureSpec& spec() const override { return spec_; }

  Features operator()(const Tensor& images) const override {
    const Tensor features = run(images_for(*this, images));
    if (features.size(1) != spec_.num_features) {
      throw FormatError(where_, "forward: expected " + std::to_string(spec_.num_features) +
                                    " features, as for earlier images, received " +
                                    std::to_string(features.size(1)));
    }
    return {.features = features, .logits = {}};
  }

  void to(const at::Device& device) override {
    module_.to(device);
    device_ = device;
  }

 private:
  // Uses two images, to detect a network that mixes the images of a batch.
  void probe(int64_t channels) {
    const Tensor images = at::zeros({2, channels, kProbeSize, kProbeSize}, at::kByte);
    spec_.num_features = run(images).size(1);
    spec_.in_channels = channels;
  }

  Tensor run(const Tensor& images) const {
    const c10::InferenceMode inference;
    const std::string call = "forward of uint8 " + io::to_string(images.sizes().vec());
    const c10::IValue output =
        call_forward(module_, {images.to(device_).contiguous()}, arguments_, where_, call);
    const std::string expected = call + ": expected floating-point features [" +
                                 std::to_string(images.size(0)) + ", D], received ";
    if (!output.isTensor()) throw FormatError(where_, expected + output.type()->repr_str());
    const Tensor features = output.toTensor();
    if (!features.is_floating_point() || features.dim() != 2 ||
        features.size(0) != images.size(0) || features.size(1) == 0) {
      throw FormatError(where_, expected + at::toString(features.scalar_type()) + " " +
                                    io::to_string(features.sizes().vec()));
    }
    return features.to(at::kFloat);
  }

  std::string where_;
  torch::jit::Module module_;
  torch::jit::Kwargs arguments_;
  at::Device device_ = at::kCPU;
  FeatureSpec spec_;
};

}  // namespace

std::unique_ptr<FeatureNetwork> load_torchscript_features(const fs::path& path) {
  return std::make_unique<TorchScriptFeatures>(path);
}

}  // namespace halfstep::metrics
