// A network given as code: a TorchScript file whose module has
//
//   forward(z, logsnr) -> raw,  or, for networks with classes,  forward(z, logsnr, labels) -> raw
//
//   z       float32 [B, shape]   examples of any rank; the first axis of `shape` is the channels
//   logsnr  float32 [B]          -2 log tan(phi), clamped to [-20, 20]
//   labels  int64 [B]            0 to num_classes - 1, or -1 (kNullLabel) for no class
//   condition  float32 [B, condition_ch, H, W]  a keyword argument of networks that are conditioned
//                                on an image (conditioning/image_condition.h); zeros for none
//   raw     float32 [B, out_channels, the rest of shape]
//
// Its parameters are the parameters of the module that require a gradient; all of them are float32,
// and a tied parameter is listed once. Everything else in the module, buffers and other parameters,
// counts as code: it is copied, moved and saved with the network but never changed.
//
// The network computes in float32, without the optimizations of TorchScript's executor, whose first
// calls differ from later ones, and always in evaluation mode: TorchScript's dropout draws from
// LibTorch's global generator, while all random draws here are functions of keys (core/random.h).
// Code that draws random numbers anyway is refused, as is code that changes anything in its module,
// because a call must depend only on its arguments. It may write to those: they are copies.
//
// Such a file can run arbitrary code. Load only files that you trust.
#ifndef HALFSTEP_NN_TORCHSCRIPT_NETWORK_H_
#define HALFSTEP_NN_TORCHSCRIPT_NETWORK_H_

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/nn/code_shape.h"
#include "halfstep/nn/network.h"

namespace halfstep {

// What the code does not say about itself.
struct TorchScriptOptions : CodeShape {
  static constexpr std::string_view kType = "torchscript";  // in JSON
};

// Throws ConfigError that names the field.
void validate(const TorchScriptOptions& options);

// Hides the type of TorchScript's module from this header.
struct TorchScriptModule;

// A file that was read but not yet checked to be a network.
struct TorchScriptFile {
  std::string where;  // its path, or another name for messages
  std::string spec;   // the model's spec as JSON; empty if the file has none
  std::shared_ptr<TorchScriptModule> module;
};

// Reads a file. Throws IoError if there is no such file and FormatError if it is not TorchScript.
TorchScriptFile read_torchscript(const std::filesystem::path& path);
// Does the same for the contents of a file; `where` is for messages.
TorchScriptFile parse_torchscript(const std::string& contents, const std::string& where);

class TorchScriptNetwork final : public Network {
 public:
  // Checks the network with batches of three examples and of one. Throws FormatError if it has no
  // parameters or one that cannot be trained, or if forward takes or returns something else than
  // stated above, draws random numbers or changes the module. Random numbers at other batch sizes
  // are an error of the first forward pass of that size.
  TorchScriptNetwork(const TorchScriptFile& file, const TorchScriptOptions& options);
  TorchScriptNetwork& operator=(const TorchScriptNetwork&) = delete;

  // Throws ConfigError: the weights are those of the file.
  void initialize(uint64_t seed) override;
  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  std::unique_ptr<Network> clone() const override;
  // Throws ConfigError for anything but fp32.
  void set_precision(Precision precision) override;
  void to(const at::Device& device) override;

  // Returns the contents of a file of this network with other weights, which must have the names
  // and shapes of the parameters (ConfigError otherwise), and with `spec`. The same network,
  // weights and spec give the same bytes.
  std::string contents_with(const std::vector<NamedTensor>& weights, const std::string& spec) const;

 private:
  TorchScriptNetwork(const TorchScriptNetwork& other);  // deep

  Tensor forward_impl(const Tensor& z, const Tensor& phi, const Condition& condition,
                      const ForwardOptions& options) const override;
  void parameters_changed() override {}  // nothing is cached

  [[noreturn]] void fail(const std::string& what) const;
  void require_signature() const;
  void try_out() const;
  Tensor run(const Tensor& z, const Tensor& logsnr, const Tensor& labels,
             const Tensor& condition) const;

  std::string where_;
  TorchScriptOptions options_;
  std::shared_ptr<TorchScriptModule> module_;  // not shared with other networks
  std::vector<NamedTensor> parameters_;
};

}  // namespace halfstep

#endif  // HALFSTEP_NN_TORCHSCRIPT_NETWORK_H_
