#include "halfstep/nn/parameters.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "halfstep/core/error.h"
#include "halfstep/core/random.h"
#include "halfstep/core/shape.h"
#include "halfstep/nn/kernels/cast.h"
#include "halfstep/nn/kernels/winograd.h"

namespace halfstep {
namespace {

// Returns the counters with which LibTorch counts writes to tensors.
std::vector<uint32_t> versions_of(const std::vector<CastParameter>& parameters) {
  std::vector<uint32_t> versions;
  versions.reserve(parameters.size());
  for (const CastParameter& parameter : parameters) {
    const Tensor& master = parameter.master;
    versions.push_back(master.is_inference() ? 0 : static_cast<uint32_t>(master._version()));
  }
  return versions;
}

// Returns a parameter in its form for this precision, before rounding to bfloat16.
Tensor in_form(const CastParameter& parameter, Precision precision) {
  switch (parameter.form) {
    case WeightForm::upsampling:
      return upsampling_kernel(parameter.master);
    case WeightForm::winograd:
      if (precision == Precision::fp32 && parameter.master.device().is_cpu())
        return winograd_kernel(parameter.master);
      break;
    case WeightForm::plain:
      break;
  }
  return parameter.master.detach();
}

// Gives a parameter its value in float32. On a device, a value that is built anew in every update
// keeps its memory, to which graphs refer.
void set_value(const CastParameter& parameter, const Tensor& source) {
  Tensor value = parameter.value;
  const bool fits = value.scalar_type() == source.scalar_type() &&
                    value.device() == source.device() && value.sizes() == source.sizes();
  if (fits && !source.device().is_cpu() && !source.is_alias_of(parameter.master))
    value.copy_(source);
  else
    value.set_data(source);
}

}  // namespace

Tensor upsampling_kernel(const Tensor& weight) {
  const Tensor flipped = weight.flip({2, 3}).transpose(0, 1);
  Tensor kernel = at::zeros({weight.size(1), weight.size(0), 4, 4},
                            weight.options().memory_format(at::MemoryFormat::ChannelsLast));
  for (const int64_t a : {0, 1}) {
    for (const int64_t b : {0, 1}) kernel.narrow(2, a, 3).narrow(3, b, 3).add_(flipped);
  }
  return kernel;
}

Tensor upsampling_kernel_backward(const Tensor& gradient) {
  Tensor flipped = gradient.narrow(2, 0, 3).narrow(3, 0, 3).clone();
  flipped.add_(gradient.narrow(2, 0, 3).narrow(3, 1, 3));
  flipped.add_(gradient.narrow(2, 1, 3).narrow(3, 0, 3));
  flipped.add_(gradient.narrow(2, 1, 3).narrow(3, 1, 3));
  return flipped.transpose(0, 1).flip({2, 3});
}

Tensor Parameters::add(const std::string& name, at::IntArrayRef shape, Initializer initializer,
                       int64_t fan_in) {
  // Convolution kernels are channels-last, as the convolution needs them. This also makes the
  // output channels-last if the input has one channel, which does not determine a layout.
  const auto layout =
      shape.size() == 4 ? at::MemoryFormat::ChannelsLast : at::MemoryFormat::Contiguous;
  Tensor tensor = at::empty(shape, at::TensorOptions().dtype(at::kFloat).memory_format(layout));
  named_.push_back({.name = name, .tensor = tensor});
  fillings_.push_back({.initializer = initializer, .fan_in = fan_in});
  return tensor;
}

CastParameter Parameters::add_cast(const std::string& name, at::IntArrayRef shape,
                                   Initializer initializer, int64_t fan_in, WeightForm form) {
  const Tensor master = add(name, shape, initializer, fan_in);
  casts_.push_back({.master = master, .value = master.detach(), .form = form});
  return casts_.back();
}

void Parameters::set_precision(Precision precision) {
  precision_ = precision;
  changed();
}

void Parameters::changed() {
  const at::NoGradGuard no_grad;
  versions_.clear();  // not current until all values are built
  std::vector<Tensor> sources;
  std::vector<Tensor> values;
  for (const CastParameter& parameter : casts_) {
    Tensor value = parameter.value;
    const Tensor source = in_form(parameter, precision_);
    if (precision_ == Precision::fp32) {
      set_value(parameter, source);
      continue;
    }
    if (value.scalar_type() != at::kBFloat16 || value.device() != source.device())
      value.set_data(at::empty_like(source, at::kBFloat16));
    sources.push_back(source);
    values.push_back(value);
  }
  cast_to_bfloat16(sources, values);
  versions_ = versions_of(casts_);
}

void Parameters::require_current() const {
  if (versions_ == versions_of(casts_)) return;
  throw Error("Parameters",
              "expected parameters to be written to through a ParameterEditor that was destroyed "
              "before the network is called, received a call with weights that are out of date");
}

void Parameters::initialize(uint64_t seed) {
  const at::NoGradGuard no_grad;
  for (size_t i = 0; i < named_.size(); ++i) {
    const auto& [name, tensor] = named_[i];
    switch (fillings_[i].initializer) {
      case Initializer::zeros:
        tensor.zero_();
        break;
      case Initializer::ones:
        tensor.fill_(1.0);
        break;
      case Initializer::lecun_normal: {
        Tensor values = at::empty(tensor.sizes(), at::TensorOptions().dtype(at::kFloat));
        fill_truncated_normal(
            {.seed = seed, .purpose = Purpose::initial_weights, .site = site_of(name)},
            {values.data_ptr<float>(), static_cast<size_t>(values.numel())});
        // The standard deviation of a standard normal truncated at 2 sigma.
        constexpr double kTruncatedStd = 0.87962566103423978;
        const double std =
            std::sqrt(1.0 / static_cast<double>(fillings_[i].fan_in)) / kTruncatedStd;
        tensor.copy_(values.mul_(std));
        break;
      }
    }
  }
  changed();
}

void Parameters::to(const at::Device& device) {
  for (const NamedTensor& parameter : named_) {
    Tensor tensor = parameter.tensor;
    tensor.set_data(tensor.detach().to(device));
  }
  changed();
}

void copy_parameters(const std::vector<NamedTensor>& source, Network& to) {
  const at::NoGradGuard no_grad;
  const ParameterEditor editor(to);
  const auto& destination = editor.parameters();
  if (source.size() != destination.size()) {
    throw ConfigError("copy_parameters", "expected " + std::to_string(destination.size()) +
                                             " parameters, received " +
                                             std::to_string(source.size()));
  }
  for (size_t i = 0; i < source.size(); ++i) {
    if (source[i].name != destination[i].name) {
      throw ConfigError("copy_parameters",
                        "expected " + destination[i].name + ", received " + source[i].name);
    }
    require_shape("copy_parameters", source[i].name, source[i].tensor,
                  destination[i].tensor.sizes());
    destination[i].tensor.copy_(source[i].tensor);
  }
}

void copy_parameters(const Network& from, Network& to) { copy_parameters(from.parameters(), to); }

void start_from_parameters(const Network& from, Network& to) {
  const auto find = [](const Network& network, const char* name) {
    const auto found = std::ranges::find(network.parameters(), name, &NamedTensor::name);
    return found == network.parameters().end() ? Tensor() : found->tensor;
  };
  const Tensor kernel = find(to, "conv_in.weight");
  const bool drops_classes = !find(to, "class_emb.weight").defined();
  const Tensor class_bias = drops_classes ? find(from, "class_emb.bias") : Tensor();
  std::vector<NamedTensor> source;
  for (const auto& [name, tensor] : from.parameters()) {
    if (drops_classes && name.starts_with("class_emb.")) continue;
    Tensor value = tensor;
    if (name == "dense1.bias" && class_bias.defined()) value = tensor + class_bias;
    if (name == "conv_in.weight" && kernel.defined() && kernel.size(1) > tensor.size(1)) {
      value = at::zeros_like(kernel);
      value.narrow(1, 0, tensor.size(1)).copy_(tensor);
    }
    source.push_back({.name = name, .tensor = value});
  }
  copy_parameters(source, to);
}

}  // namespace halfstep
