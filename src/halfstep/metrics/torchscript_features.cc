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
    classifies_ = module_.find_method("logits").has_value();
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
    const Features found = run(images_for(*this, images));
    require_size("forward", "features", found.features, spec_.num_features);
    if (classifies_) require_size("logits", "classes", found.logits, spec_.num_logits);
    return found;
  }

  void to(const at::Device& device) override {
    module_.to(device);
    device_ = device;
  }

 private:
  // Uses two images, to detect a network that mixes the images of a batch.
  void probe(int64_t channels) {
    const Features found = run(at::zeros({2, channels, kProbeSize, kProbeSize}, at::kByte));
    spec_.num_features = found.features.size(1);
    spec_.num_logits = classifies_ ? found.logits.size(1) : 0;
    spec_.in_channels = channels;
  }

  Features run(const Tensor& images) const {
    const c10::InferenceMode inference;
    const Tensor input = images.to(device_).contiguous();
    Features found;
    found.features = call("forward", input, arguments_, "floating-point features", "D");
    if (classifies_) {
      found.logits =
          call("logits", found.features, {}, "floating-point logits", "classes").to(at::kFloat);
    }
    found.features = found.features.to(at::kFloat);
    return found;
  }

  // Calls a method of the module, which must return `what` [B, columns] for B rows of input.
  Tensor call(const std::string& method, const Tensor& input, const torch::jit::Kwargs& arguments,
              const std::string& what, const std::string& columns) const {
    const std::string call = method + " of " +
                             (input.is_floating_point() ? "features " : "uint8 ") +
                             io::to_string(input.sizes().vec());
    const c10::IValue output = call_method(module_, method, {input}, arguments, where_, call);
    const std::string expected = call + ": expected " + what + " [" +
                                 std::to_string(input.size(0)) + ", " + columns + "], received ";
    if (!output.isTensor()) throw FormatError(where_, expected + output.type()->repr_str());
    Tensor rows = output.toTensor();
    if (!rows.is_floating_point() || rows.dim() != 2 || rows.size(0) != input.size(0) ||
        rows.size(1) == 0) {
      throw FormatError(where_, expected + at::toString(rows.scalar_type()) + " " +
                                    io::to_string(rows.sizes().vec()));
    }
    return rows;
  }

  void require_size(const std::string& method, const std::string& what, const Tensor& rows,
                    int64_t size) const {
    if (rows.size(1) == size) return;
    throw FormatError(where_, method + ": expected " + std::to_string(size) + " " + what +
                                  ", as for earlier images, received " +
                                  std::to_string(rows.size(1)));
  }

  std::string where_;
  torch::jit::Module module_;
  torch::jit::Kwargs arguments_;
  bool classifies_ = false;  // the module has a method `logits`
  at::Device device_ = at::kCPU;
  FeatureSpec spec_;
};

}  // namespace

std::unique_ptr<FeatureNetwork> load_torchscript_features(const fs::path& path) {
  return std::make_unique<TorchScriptFeatures>(path);
}

}  // namespace halfstep::metrics
