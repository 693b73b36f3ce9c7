// TorchScript files written without Python, and a network with a known formula.
#ifndef HALFSTEP_TESTS_NN_TORCHSCRIPT_FILES_H_
#define HALFSTEP_TESTS_NN_TORCHSCRIPT_FILES_H_

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "halfstep/nn/network.h"
#include "halfstep/nn/torchscript_network.h"

namespace halfstep::test {

struct TorchScriptCode {
  std::string methods;                  // def forward(self, z, logsnr): ...
  std::vector<NamedTensor> parameters;  // require a gradient if their tensors do
  std::vector<NamedTensor> buffers;
};

void write_torchscript(const std::filesystem::path& path, const TorchScriptCode& code);

// Returns a copy that requires a gradient.
Tensor trained(const Tensor& values);

// The optimal denoiser of x ~ N(mean, deviation^2), two independent numbers, with output v:
//   u = (z - c mean) / (deviation^2 c^2 + n^2)
//   v = c eps - n x,  eps = n u,  x = mean + deviation^2 c u
// with c^2 = sigmoid(logsnr), n^2 = sigmoid(-logsnr). `mean` and `deviation` [2] are parameters.
TorchScriptCode gaussian_code();
inline TorchScriptOptions gaussian_options() { return {{.shape = {2}, .out_channels = 2}}; }

// The same operations in C++.
class GaussianNetwork final : public Network {
 public:
  GaussianNetwork();
  void initialize(uint64_t) override {}
  const std::vector<NamedTensor>& parameters() const override { return parameters_; }
  std::unique_ptr<Network> clone() const override { return std::make_unique<GaussianNetwork>(); }
  void set_precision(Precision) override {}
  void to(const at::Device&) override {}

 private:
  Tensor forward_impl(const Tensor& z, const Tensor& phi, const Condition&,
                      const ForwardOptions&) const override;
  void parameters_changed() override {}

  std::vector<NamedTensor> parameters_;
};

}  // namespace halfstep::test

#endif  // HALFSTEP_TESTS_NN_TORCHSCRIPT_FILES_H_
