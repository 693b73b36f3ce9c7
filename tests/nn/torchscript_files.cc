#include "tests/nn/torchscript_files.h"

#include <torch/script.h>

#include "halfstep/diffusion/angle.h"

namespace halfstep::test {
namespace {

std::vector<NamedTensor> gaussian_parameters() {
  return {{.name = "mean", .tensor = trained(at::tensor({0.5F, -0.25F}))},
          {.name = "deviation", .tensor = trained(at::tensor({0.75F, 1.5F}))}};
}

}  // namespace

void write_torchscript(const std::filesystem::path& path, const TorchScriptCode& code) {
  torch::jit::Module module("Network");
  for (const auto& [name, tensor] : code.parameters)
    module.register_parameter(name, tensor, /*is_buffer=*/false);
  for (const auto& [name, tensor] : code.buffers) module.register_buffer(name, tensor);
  module.register_attribute("training", c10::BoolType::get(), true);
  module.define(code.methods + "\n");  // the parser needs a newline at the end
  module.save(path.string());
}

Tensor trained(const Tensor& values) { return values.clone().requires_grad_(true); }

TorchScriptCode gaussian_code() {
  return {.methods = R"(
def forward(self, z, logsnr):
    c = logsnr.sigmoid().sqrt().unsqueeze(1)
    n = (-logsnr).sigmoid().sqrt().unsqueeze(1)
    variance = self.deviation * self.deviation
    u = (z - c * self.mean) / (variance * c * c + n * n)
    return c * n * u - n * (self.mean + variance * c * u)
)",
          .parameters = gaussian_parameters()};
}

GaussianNetwork::GaussianNetwork() : parameters_(gaussian_parameters()) {
  for (const NamedTensor& parameter : parameters_) parameter.tensor.requires_grad_(false);
}

Tensor GaussianNetwork::forward_impl(const Tensor& z, const Tensor& phi, const Condition&,
                                     const ForwardOptions&) const {
  const Tensor& mean = parameters_[0].tensor;
  const Tensor& deviation = parameters_[1].tensor;
  const Tensor logsnr = logsnr_of_phi(phi).clamp(-20.0, 20.0).to(at::kFloat);
  const Tensor c = logsnr.sigmoid().sqrt().unsqueeze(1);
  const Tensor n = (-logsnr).sigmoid().sqrt().unsqueeze(1);
  const Tensor variance = deviation * deviation;
  const Tensor u = (z - c * mean) / (variance * c * c + n * n);
  return c * n * u - n * (mean + variance * c * u);
}

}  // namespace halfstep::test
