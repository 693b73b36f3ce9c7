#include "python/bindings/module_network.h"

#include <string>
#include <utility>
#include <variant>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/diffusion/angle.h"

namespace halfstep::python {
namespace {

std::vector<int64_t> with_batch(int64_t batch, std::vector<int64_t> shape) {
  shape.insert(shape.begin(), batch);
  return shape;
}

std::vector<NamedTensor> parameters_of(const py::object& module) {
  std::vector<NamedTensor> parameters;
  for (auto& [name, tensor] :
       module.attr("parameters")().cast<std::vector<std::pair<std::string, at::Tensor>>>())
    parameters.push_back({.name = name, .tensor = tensor});
  return parameters;
}

}  // namespace

ModuleNetwork::ModuleNetwork(py::object module, ExternalOptions options)
    : module_(std::move(module)),
      options_(std::move(options)),
      parameters_(parameters_of(module_)) {}

ModuleNetwork::~ModuleNetwork() {
  const py::gil_scoped_acquire acquire;
  parameters_.clear();
  module_ = py::object();
}

void ModuleNetwork::initialize(uint64_t /*seed*/) {
  throw ConfigError(options_.code,
                    "expected a network that halfstep can initialize, received a module, which has "
                    "weights of its own");
}

std::unique_ptr<Network> ModuleNetwork::clone() const {
  const py::gil_scoped_acquire acquire;
  return std::make_unique<ModuleNetwork>(module_.attr("clone")(), options_);
}

void ModuleNetwork::set_precision(Precision precision) {
  if (precision == Precision::fp32) return;
  throw ConfigError(options_.code, "precision: expected auto or fp32 for a module, received " +
                                       std::string(name_of(precision)));
}

void ModuleNetwork::to(const at::Device& device) {
  const py::gil_scoped_acquire acquire;
  module_.attr("to")(device);
  parameters_ = parameters_of(module_);
}

at::Tensor ModuleNetwork::forward_impl(const at::Tensor& z, const at::Tensor& phi,
                                       const Condition& condition,
                                       const ForwardOptions& /*options*/) const {
  require_shape(options_.code, "z", z, with_batch(-1, options_.shape));
  require_shape(options_.code, "phi", phi, {z.size(0)});
  require_inputs(options_.code, condition, z, {.condition_ch = options_.condition_ch});
  const at::Tensor logsnr = logsnr_of_phi(phi).clamp(-20.0, 20.0).to(at::kFloat).to(z.device());
  std::optional<at::Tensor> labels;
  if (options_.num_classes > 1) {
    labels = condition.labels.defined()
                 ? condition.labels.to(z.device())
                 : at::full({z.size(0)}, kNullLabel, z.options().dtype(at::kLong));
    require_shape(options_.code, "labels", *labels, {z.size(0)});
  }
  std::optional<at::Tensor> image;
  if (options_.condition_ch > 0) image = condition_image(condition, z, options_.condition_ch);
  at::Tensor raw;
  {
    const py::gil_scoped_acquire acquire;
    raw = module_.attr("forward")(z, logsnr, labels, image).cast<at::Tensor>();
  }
  std::vector<int64_t> shape = z.sizes().vec();
  shape[1] = options_.out_channels;
  require_shape(options_.code, "output of forward", raw, shape);
  return raw.to(at::kFloat).contiguous();
}

NetworkFactory factory_of(const py::object& make) {
  if (make.is_none()) return {};
  return [&make](const ModelSpec& spec) -> std::unique_ptr<Network> {
    const py::gil_scoped_acquire acquire;
    return std::make_unique<ModuleNetwork>(make(), std::get<ExternalOptions>(spec.network));
  };
}

}  // namespace halfstep::python
