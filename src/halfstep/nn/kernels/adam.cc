#include "halfstep/nn/kernels/adam.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace halfstep {
namespace {

constexpr int64_t kBlock = 1 << 15;  // floats per task

}  // namespace

void adam_step(const AdamStep& step, const Tensor& gradient, const Tensor& p, const Tensor& m,
               const Tensor& v, const Tensor& ema) {
  if (!p.device().is_cpu()) return adam_step_libtorch(step, gradient, p, m, v, ema);
  const auto at = [](const Tensor& t, int64_t i) {
    return t.defined() ? t.data_ptr<float>() + i : nullptr;
  };
  at::parallel_for(0, p.numel(), kBlock, [&](int64_t begin, int64_t end) {
    cpu::kernels().optimizer.adam(step, end - begin, at(gradient, begin), at(p, begin),
                                  at(m, begin), at(v, begin), at(ema, begin));
  });
}

void adam_step_plain(const AdamStep& step, const Tensor& gradient, const Tensor& p, const Tensor& m,
                     const Tensor& v, const Tensor& ema) {
  gradient.mul_(step.grad_scale);
  m.lerp_(gradient, step.m_rate);
  v.mul_(step.v_keep).addcmul_(gradient, gradient, step.v_rate);
  const Tensor denominator = (v * step.v_scale).sqrt_().add_(step.epsilon);
  p.mul_(step.p_keep).addcdiv_(m, denominator, -step.step_size);
  if (ema.defined()) ema.sub_(p).mul_(step.ema_keep).add_(p);
  gradient.zero_();
}

void adam_step_libtorch(const AdamStep& step, const Tensor& gradient, const Tensor& p,
                        const Tensor& m, const Tensor& v, const Tensor& ema) {
  // The operator corrects m and v by 1 - beta^t. The step contains both corrections, so t is a
  // number for which they are 1, and that of v moves from the root to the numbers around it:
  //   step_size m / (sqrt(v_scale v) + epsilon) = lr m / (sqrt(v) + epsilon / sqrt(v_scale))
  constexpr double kManySteps = 1e9;
  const double root = std::sqrt(static_cast<double>(step.v_scale));
  const double lr = step.step_size / root;
  const double decay = lr > 0.0 ? (1.0 - step.p_keep) / lr : 0.0;
  const auto number = [&](double value) { return at::full({}, value, p.options()); };
  at::_fused_adamw_({p}, {gradient}, {m}, {v}, /*max_exp_avg_sqs=*/{}, {number(kManySteps)}, lr,
                    /*beta1=*/1.0 - step.m_rate, /*beta2=*/1.0 - step.v_rate, decay,
                    step.epsilon / root, /*amsgrad=*/false, /*maximize=*/false,
                    number(1.0 / step.grad_scale));
  if (ema.defined()) ema.lerp_(p, 1.0 - step.ema_keep);
  gradient.zero_();
}

Tensor norm_of(const Tensor& x) {
  if (!x.device().is_cpu())
    return at::linalg_vector_norm(x, 2, /*dim=*/std::nullopt, /*keepdim=*/false, at::kDouble);
  const int64_t count = x.numel();
  const float* values = x.const_data_ptr<float>();
  std::vector<double> sums(static_cast<size_t>((count + kBlock - 1) / kBlock));
  at::parallel_for(0, static_cast<int64_t>(sums.size()), 1, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      sums[static_cast<size_t>(b)] = cpu::kernels().optimizer.sum_of_squares(
          std::min(kBlock, count - b * kBlock), values + b * kBlock);
    }
  });
  return at::scalar_tensor(std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0)), at::kDouble);
}

}  // namespace halfstep
