#include "halfstep/train/optimizer.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <cmath>

#include "halfstep/core/shape.h"
#include "halfstep/nn/kernels/adam.h"

namespace halfstep {
namespace {

constexpr int64_t kAlignment = 16;  // each parameter starts on a cache line

int64_t aligned(int64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Returns the part of `vector` at `offset` as a view with the shape and memory layout of `like`.
// Convolution kernels of our own networks are channels-last; TorchScript code may need its own
// layout.
Tensor view_of(const Tensor& vector, int64_t offset, const Tensor& like) {
  const Tensor part = vector.narrow(0, offset, like.numel());
  if (like.dim() != 4 || !like.is_contiguous(at::MemoryFormat::ChannelsLast))
    return part.view(like.sizes());
  return part.view({like.size(0), like.size(2), like.size(3), like.size(1)}).permute({0, 3, 1, 2});
}

}  // namespace

Optimizer::Optimizer(Network& network, const OptimizerOptions& options)
    : network_(network), options_(options), parameters_(network.parameters()) {
  const ParameterEditor editor(network_);
  int64_t size = 0;
  for (const NamedTensor& parameter : parameters_) size += aligned(parameter.tensor.numel());
  const at::TensorOptions like = parameters_.front().tensor.options().requires_grad(false);
  state_.parameters = at::zeros({size}, like);
  state_.first_moment = at::zeros({size}, like);
  state_.second_moment = at::zeros({size}, like);
  gradient_ = at::zeros({size}, like);
  int64_t offset = 0;
  for (NamedTensor& parameter : parameters_) {
    const Tensor values = view_of(state_.parameters, offset, parameter.tensor);
    Tensor(values).copy_(parameter.tensor);
    parameter.tensor.set_data(values);
    parameter.tensor.requires_grad_(true);
    parameter.tensor.mutable_grad() = view_of(gradient_, offset, parameter.tensor);
    offset += aligned(parameter.tensor.numel());
  }
  if (options_.ema_decay > 0.0) state_.ema = state_.parameters.clone();
}

Optimizer::Step Optimizer::step(double lr, double norm) {
  const at::NoGradGuard no_grad;
  if (!std::isfinite(norm)) {
    skip();
    return {.grad_norm = norm, .skipped = true};
  }
  ++state_.updates;
  const ParameterEditor editor(network_);
  const auto t = static_cast<double>(++state_.adam_updates);
  const bool clipped = options_.grad_clip > 0.0 && norm > options_.grad_clip;
  const auto before = static_cast<double>(state_.updates - 1);
  double ema_decay = options_.ema_decay;
  if (options_.ema_warmup) ema_decay = std::min(ema_decay, (1.0 + before) / (10.0 + before));
  if (before == 0.0) ema_decay = 0.0;
  const auto f = [](double value) { return static_cast<float>(value); };
  adam_step({.grad_scale = f(clipped ? options_.grad_clip / norm : 1.0),
             .m_rate = f(1.0 - options_.beta1),
             .v_keep = f(options_.beta2),
             .v_rate = f(1.0 - options_.beta2),
             .v_scale = f(1.0 / (1.0 - std::pow(options_.beta2, t))),
             .epsilon = f(options_.epsilon),
             .step_size = f(lr / (1.0 - std::pow(options_.beta1, t))),
             .p_keep = f(1.0 - lr * options_.weight_decay),
             .ema_keep = f(ema_decay)},
            gradient_, state_.parameters, state_.first_moment, state_.second_moment, state_.ema);
  return {.grad_norm = norm, .skipped = false};
}

void Optimizer::skip() {
  ++state_.updates;
  gradient_.zero_();
}

Tensor Optimizer::gradient_norm() const { return norm_of(gradient_); }

void Optimizer::restore(const OptimizerState& state) {
  const ParameterEditor editor(network_);
  const auto copy = [](const char* name, Tensor& to, const Tensor& from) {
    if (!to.defined()) return;
    require_shape("Optimizer::restore", name, from, to.sizes());
    to.copy_(from);
  };
  copy("parameters", state_.parameters, state.parameters);
  copy("first_moment", state_.first_moment, state.first_moment);
  copy("second_moment", state_.second_moment, state.second_moment);
  copy("ema", state_.ema, state.ema);
  state_.updates = state.updates;
  state_.adam_updates = state.adam_updates;
}

std::vector<NamedTensor> Optimizer::averaged() const {
  return state_.ema.defined() ? named(state_.ema) : parameters_;
}

std::vector<NamedTensor> Optimizer::named(const Tensor& vector) const {
  std::vector<NamedTensor> named;
  int64_t offset = 0;
  for (const NamedTensor& parameter : parameters_) {
    named.push_back({.name = parameter.name, .tensor = view_of(vector, offset, parameter.tensor)});
    offset += aligned(parameter.tensor.numel());
  }
  return named;
}

}  // namespace halfstep
