// A network that is somebody else's code: a TorchScript file whose module has
//
//   forward(z, logsnr) -> raw,  or, for networks with classes,  forward(z, logsnr, labels) -> raw
//
//   z       float32 [B, shape]   examples of any rank; their first axis is the channels
//   logsnr  float32 [B]          -2 log tan(phi), clamped to [-20, 20]
//   labels  int64 [B]            0 to num_classes - 1; kNullLabel, -1, is no class
//   raw     float32 [B, out_channels, the rest of shape]
//
// Its parameters are the module's that require a gradient, float32 all of them, each tied one once.
// What else the module holds, buffers and parameters that require none, is part of the code:
// copied, moved and saved with the network, never changed.
//
// It computes in float32, as the code is written, without the executor's optimisations, whose first
// calls differ from later ones; and always in the form for evaluation: TorchScript's dropout draws
// from LibTorch's global generator, and here a draw is a function (core/random.h). Code that draws
// all the same is refused, and so is code that writes to its buffers: a call is a function, too.
//
// Such a file is code: only files that you trust.
#ifndef HALFSTEP_NN_TORCHSCRIPT_NETWORK_H_
#define HALFSTEP_NN_TORCHSCRIPT_NETWORK_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/nn/network.h"

namespace halfstep {

// What cannot be read off the code.
struct TorchScriptOptions {
  static constexpr std::string_view kType = "torchscript";  // in JSON

  std::vector<int64_t> shape;
  int64_t out_channels = 0;
  bool images = false;
  int64_t num_classes = 0;

  template <class Self, class Visitor>
  static void for_each_field(Self& self, Visitor&& visit) {
    visit("shape", self.shape, "of an example, channels first: [2], [C, L], [C, H, W]");
    visit("out_channels", self.out_channels, "C, or 2 C for x_and_eps");
    visit("images", self.images, "examples are images [1 or 3, H, W] in [-1, 1]");
    visit("num_classes", self.num_classes, "labels; 0 or 1: forward takes none");
  }
};

// Throws ConfigError that names the field.
void validate(const TorchScriptOptions& options);

// TorchScript's own module, whose type stays out of this header.
struct TorchScriptModule;

// A file that was read, not yet known to be a network.
struct TorchScriptFile {
  std::string where;  // its path, or what is said instead
  std::string spec;   // the text in it that says what the model is; empty where it has none
  std::shared_ptr<TorchScriptModule> module;
};

// Throws IoError where there is no file, FormatError where it is not TorchScript.
TorchScriptFile read_torchscript(const std::filesystem::path& path);
// The same of a file's contents; `where` is for messages.
TorchScriptFile parse_torchscript(const std::string& contents, const std::string& where);

class TorchScriptNetwork final : public Network {
 public:
  // Tries the network with three examples. Throws FormatError where it has no parameters or one
  // that cannot be trained, where forward takes or gives other things, draws, or writes to buffers.
  TorchScriptNetwork(const TorchScriptFile& file, const TorchScriptOptions& options);
  TorchScriptNetwork& operator=(const TorchScriptNetwork&) = delete;

  // Its weights are its file's: throws ConfigError.
  void initialize(uint64_t seed) override;
  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  std::unique_ptr<Network> clone() const override;
  // Throws ConfigError for anything but fp32.
  void set_precision(Precision precision) override;
  void to(const at::Device& device) override;

  // The contents of a file of this network with other weights, which have the names and shapes of
  // the parameters, and with a text that says what the model is. The same network, weights and text
  // give the same bytes.
  std::string contents_with(const std::vector<NamedTensor>& weights, const std::string& spec) const;

 private:
  TorchScriptNetwork(const TorchScriptNetwork& other);  // deep

  Tensor forward_impl(const Tensor& z, const Tensor& phi, const Condition& condition,
                      const ForwardOptions& options) const override;
  void parameters_changed() override {}  // nothing is cached

  [[noreturn]] void fail(const std::string& what) const;
  void require_signature() const;
  void try_out() const;
  Tensor run(const Tensor& z, const Tensor& logsnr, const Tensor& labels) const;

  std::string where_;
  TorchScriptOptions options_;
  std::shared_ptr<TorchScriptModule> module_;  // no other network's
  std::vector<NamedTensor> parameters_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_TORCHSCRIPT_NETWORK_H_
