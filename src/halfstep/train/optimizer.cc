#include "halfstep/train/optimizer.h"

#include <ATen/core/grad_mode.h>

#include <cmath>

#include "halfstep/core/shape.h"

namespace halfstep {
namespace {

// Each parameter starts on a cache line.
constexpr int64_t kAlignment = 16;

int64_t aligned(int64_t size) { return (size + kAlignment - 1) / kAlignment * kAlignment; }

// Convolution kernels lie in channels-last order, as the convolution wants them.
Tensor view_of(const Tensor& vector, int64_t offset, const Tensor& like) {
  const Tensor part = vector.narrow(0, offset, like.numel());
  if (like.dim() != 4) return part.view(like.sizes());
  return part.view({like.size(0), like.size(2), like.size(3), like.size(1)}).permute({0, 3, 1, 2});
}

}  // namespace

Optimizer::Optimizer(const Network& network, const OptimizerOptions& options)
    : network_(network), options_(options), parameters_(network.parameters()) {
  const at::NoGradGuard no_grad;
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
  network_.parameters_changed();
}

void Optimizer::zero_grad() { gradient_.zero_(); }

Optimizer::Step Optimizer::step(double lr) {
  const at::NoGradGuard no_grad;
  Tensor& p = state_.parameters;
  Tensor& m = state_.first_moment;
  Tensor& v = state_.second_moment;
  const double norm =
      at::linalg_vector_norm(gradient_, 2, /*dim=*/std::nullopt, /*keepdim=*/false, at::kDouble)
          .item<double>();
  ++state_.updates;
  if (!std::isfinite(norm)) return {.grad_norm = norm, .skipped = true};

  if (options_.grad_clip > 0.0 && norm > options_.grad_clip)
    gradient_.mul_(options_.grad_clip / norm);
  const auto t = static_cast<double>(++state_.adam_updates);
  m.lerp_(gradient_, 1.0 - options_.beta1);
  v.mul_(options_.beta2).addcmul_(gradient_, gradient_, 1.0 - options_.beta2);
  const double m_scale = 1.0 / (1.0 - std::pow(options_.beta1, t));
  const double v_scale = 1.0 / (1.0 - std::pow(options_.beta2, t));
  const Tensor denominator = (v * v_scale).sqrt_().add_(options_.epsilon);
  p.mul_(1.0 - lr * options_.weight_decay).addcdiv_(m, denominator, -lr * m_scale);
  if (state_.ema.defined()) {
    if (state_.updates == 1) {
      state_.ema.copy_(p);
    } else {
      state_.ema.lerp_(p, 1.0 - options_.ema_decay);
    }
  }
  network_.parameters_changed();
  return {.grad_norm = norm, .skipped = false};
}

void Optimizer::restore(const OptimizerState& state) {
  const at::NoGradGuard no_grad;
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
  network_.parameters_changed();
}

std::vector<NamedTensor> Optimizer::averaged() const {
  if (!state_.ema.defined()) return parameters_;
  std::vector<NamedTensor> averaged;
  int64_t offset = 0;
  for (const NamedTensor& parameter : parameters_) {
    averaged.push_back(
        {.name = parameter.name, .tensor = view_of(state_.ema, offset, parameter.tensor)});
    offset += aligned(parameter.tensor.numel());
  }
  return averaged;
}

}  // namespace halfstep
