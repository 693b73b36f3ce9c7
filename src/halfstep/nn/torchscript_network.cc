#include "halfstep/nn/torchscript_network.h"

#include <ATen/Context.h>
#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <sstream>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/diffusion/angle.h"
#include "halfstep/nn/code_shape.h"
#include "halfstep/nn/torchscript_module.h"
#include "halfstep/nn/torchscript_state.h"

namespace halfstep {

struct TorchScriptModule {
  explicit TorchScriptModule(torch::jit::Module loaded) : module(std::move(loaded)) {}

  // Returns whether this batch size is asked for the first time.
  bool is_new_size(int64_t batch) {
    const std::lock_guard lock(mutex);
    return sizes.insert(batch).second;
  }

  torch::jit::Module module;
  std::mutex mutex;
  std::set<int64_t> sizes;
};

namespace {

constexpr const char* kSpecName = "halfstep.json";

std::vector<int64_t> with_batch(int64_t batch, std::vector<int64_t> shape) {
  shape.insert(shape.begin(), batch);
  return shape;
}

// Returns the parameters that training changes. A tied parameter is listed once, under its first
// name.
std::vector<NamedTensor> trained_parameters(const torch::jit::Module& module,
                                            const std::string& where) {
  std::vector<NamedTensor> trained;
  std::set<const c10::TensorImpl*> seen;
  std::map<const c10::StorageImpl*, std::string> owners;
  int64_t all = 0;
  for (const auto& [name, tensor] : module.named_parameters()) {
    ++all;
    if (!tensor.requires_grad() || !seen.insert(tensor.unsafeGetTensorImpl()).second) continue;
    if (tensor.scalar_type() != at::kFloat) {
      throw FormatError(where, name + ": expected a parameter of float32, received " +
                                   at::toString(tensor.scalar_type()));
    }
    if (!tensor.isfinite().all().item<bool>())
      throw FormatError(where, name + ": expected finite numbers, received inf or nan");
    const auto [owner, alone] = owners.emplace(tensor.storage().unsafeGetStorageImpl(), name);
    if (!alone) {
      throw FormatError(where, name + ": expected memory of its own, received that of " +
                                   owner->second + "; clone it before saving the network");
    }
    trained.push_back({.name = name, .tensor = tensor});
  }
  if (!trained.empty()) return trained;
  throw FormatError(where, "expected parameters that require a gradient, received none among " +
                               std::to_string(all) +
                               "; call requires_grad_(True) before saving, and do not freeze");
}

TorchScriptFile file_of(torch::jit::Module module, const std::string& where,
                        const torch::jit::ExtraFilesMap& texts) {
  return {.where = where,
          .spec = texts.at(kSpecName),
          .module = std::make_shared<TorchScriptModule>(std::move(module))};
}

}  // namespace

void validate(const TorchScriptOptions& options) { validate("TorchScriptOptions", options); }

TorchScriptFile read_torchscript(const std::filesystem::path& path) {
  torch::jit::ExtraFilesMap texts = {{kSpecName, ""}};
  torch::jit::Module module = load_torchscript(path, texts);
  return file_of(std::move(module), path.string(), texts);
}

TorchScriptFile parse_torchscript(const std::string& contents, const std::string& where) {
  torch::jit::ExtraFilesMap texts = {{kSpecName, ""}};
  std::istringstream stream(contents);
  torch::jit::Module module = load_torchscript(stream, where, texts);
  return file_of(std::move(module), where, texts);
}

TorchScriptNetwork::TorchScriptNetwork(const TorchScriptFile& file,
                                       const TorchScriptOptions& options)
    : where_(file.where), options_((validate(options), options)), module_(file.module) {
  parameters_ = trained_parameters(module_->module, where_);
  for (const auto& parameter : module_->module.parameters()) parameter.requires_grad_(false);
  require_signature();
  try_out();
}

TorchScriptNetwork::TorchScriptNetwork(const TorchScriptNetwork& other)
    : where_(other.where_), options_(other.options_) {
  const at::NoGradGuard no_grad;
  module_ = std::make_shared<TorchScriptModule>(other.module_->module.deepcopy());
  std::map<std::string, Tensor> copies;
  for (const auto& [name, tensor] : module_->module.named_parameters())
    copies.emplace(name, tensor);
  for (const NamedTensor& parameter : other.parameters_)
    parameters_.push_back({.name = parameter.name, .tensor = copies.at(parameter.name)});
}

void TorchScriptNetwork::fail(const std::string& what) const {
  throw FormatError(where_, "forward: " + what);
}

void TorchScriptNetwork::require_signature() const {
  const c10::FunctionSchema& schema = module_->module.get_method("forward").function().getSchema();
  const bool takes_labels = options_.num_classes > 1;
  const bool takes_image = options_.condition_ch > 0;
  const size_t given = 3 + (takes_labels ? 1 : 0) + (takes_image ? 1 : 0);  // with self
  const auto& arguments = schema.arguments();
  const auto needed = static_cast<size_t>(
      std::count_if(arguments.begin(), arguments.end(),
                    [](const c10::Argument& argument) { return !argument.default_value(); }));
  const bool names_image = std::ranges::any_of(
      arguments, [](const c10::Argument& argument) { return argument.name() == kConditionImage; });
  if (needed <= given && given <= arguments.size() && names_image == takes_image) return;
  std::ostringstream found;
  found << schema;
  fail("expected the arguments z, logsnr" + std::string(takes_labels ? ", labels" : "") +
       (takes_image ? ", condition" : "") +
       (takes_labels ? " of a network with classes" : " of a network without classes") +
       ", received " + found.str());
}

// A batch size that tracing wrote into the code is unlikely to be three. One is the other size at
// which code often behaves in its own way.
void TorchScriptNetwork::try_out() const {
  const at::NoGradGuard no_grad;
  const TorchScriptState before(module_->module);
  const auto call = [&](int64_t batch) {
    const Tensor labels = options_.num_classes > 1
                              ? at::arange(batch, at::kLong).remainder_(options_.num_classes)
                              : Tensor();
    const Tensor z = at::zeros(with_batch(batch, options_.shape), at::kFloat);
    return run(z, at::linspace(-20.0, 20.0, batch, at::kFloat), labels,
               condition_image({}, z, options_.condition_ch));
  };
  call(3);
  const Tensor first = call(1);
  const Tensor second = call(1);
  if (const std::string changed = before.changed_in(module_->module); !changed.empty()) {
    fail("expected a call to depend on its arguments only, found that calls change " + changed +
         "; trace or script the network after eval(), without state of its own");
  }
  if (!at::allclose(first, second, /*rtol=*/0.0, /*atol=*/0.0, /*equal_nan=*/true))
    fail("expected two calls with the same arguments to return the same, found a difference");
}

Tensor TorchScriptNetwork::run(const Tensor& z, const Tensor& logsnr, const Tensor& labels,
                               const Tensor& condition) const {
  // Copies, because the code may write to its arguments.
  std::vector<c10::IValue> inputs = {z.clone(at::MemoryFormat::Contiguous), logsnr.clone()};
  if (labels.defined()) inputs.emplace_back(labels.clone());
  torch::jit::Kwargs named;
  if (condition.defined()) named.emplace(kConditionImage, condition.clone());
  const std::string call = "forward of float32 " + c10::str(z.sizes());
  // Code may draw random numbers at some batch sizes only, so the first call of each is watched.
  const bool watched = module_->is_new_size(z.size(0));
  const at::Generator& generator = at::globalContext().defaultGenerator(z.device());
  const Tensor random = watched ? generator.get_state() : Tensor();
  const c10::IValue output =
      call_method(module_->module, "forward", std::move(inputs), named, where_, call);
  if (watched && !at::equal(generator.get_state(), random)) {
    fail(
        "expected no random numbers, received a network that draws some; trace or script it after "
        "eval(), which turns dropout off");
  }
  std::vector<int64_t> shape = z.sizes().vec();
  shape[1] = options_.out_channels;
  const std::string expected =
      call + ": expected float32 " + c10::str(at::IntArrayRef(shape)) + ", received ";
  if (!output.isTensor()) throw FormatError(where_, expected + output.type()->repr_str());
  const Tensor& raw = output.toTensor();
  if (raw.scalar_type() != at::kFloat || raw.sizes() != at::IntArrayRef(shape)) {
    throw FormatError(where_,
                      expected + at::toString(raw.scalar_type()) + " " + c10::str(raw.sizes()));
  }
  return raw.contiguous();
}

Tensor TorchScriptNetwork::forward_impl(const Tensor& z, const Tensor& phi,
                                        const Condition& condition,
                                        const ForwardOptions& /*options*/) const {
  require_shape("TorchScriptNetwork", "z", z, with_batch(-1, options_.shape));
  require_shape("TorchScriptNetwork", "phi", phi, {z.size(0)});
  require_inputs(where_, condition, z, {.condition_ch = options_.condition_ch});
  const Tensor logsnr = logsnr_of_phi(phi).clamp(-20.0, 20.0).to(at::kFloat).to(z.device());
  Tensor labels;
  if (options_.num_classes > 1) {
    labels = condition.labels.defined()
                 ? condition.labels.to(z.device())
                 : at::full({z.size(0)}, kNullLabel, z.options().dtype(at::kLong));
    require_shape("TorchScriptNetwork", "labels", labels, {z.size(0)});
  }
  return run(z, logsnr, labels, condition_image(condition, z, options_.condition_ch));
}

void TorchScriptNetwork::initialize(uint64_t /*seed*/) {
  throw ConfigError(where_,
                    "expected a network that halfstep can initialize, received TorchScript, whose "
                    "weights are in its file");
}

std::unique_ptr<Network> TorchScriptNetwork::clone() const {
  return std::unique_ptr<Network>(new TorchScriptNetwork(*this));
}

void TorchScriptNetwork::set_precision(Precision precision) {
  if (precision == Precision::fp32) return;
  throw ConfigError(where_,
                    "precision: expected auto or fp32 for a TorchScript network, received " +
                        std::string(name_of(precision)));
}

void TorchScriptNetwork::to(const at::Device& device) { module_->module.to(device); }

std::string TorchScriptNetwork::contents_with(const std::vector<NamedTensor>& weights,
                                              const std::string& spec) const {
  TorchScriptNetwork copy(*this);
  copy.to(at::kCPU);
  const ParameterEditor editor(copy);
  if (weights.size() != editor.parameters().size()) {
    throw ConfigError(where_, "expected " + std::to_string(editor.parameters().size()) +
                                  " weights, received " + std::to_string(weights.size()));
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    const auto& [name, tensor] = editor.parameters()[i];
    if (weights[i].name != name)
      throw ConfigError(where_, "expected " + name + ", received " + weights[i].name);
    require_shape(where_, name, weights[i].tensor, tensor.sizes());
    tensor.copy_(weights[i].tensor);
    tensor.requires_grad_(true);  // marks it in the file as trained
  }
  std::ostringstream file;
  copy.module_->module.save(file, {{kSpecName, spec}});
  return file.str();
}

}  // namespace halfstep
