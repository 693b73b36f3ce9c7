#include "halfstep/nn/kernels/resample.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include "halfstep/nn/kernels/cpu.h"

namespace halfstep {
namespace {

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

template <class T>
void run(const cpu::ResampleLoops<T>& loops, bool sums, float factor, const Tensor& from,
         const Tensor& to) {
  const Tensor& narrow = sums ? to : from;
  const int64_t height = narrow.size(2);
  const int64_t width = narrow.size(3);
  const int64_t channels = narrow.size(1);
  // one row of blocks is one piece of work
  constexpr int64_t kGrainElements = 16384;
  const int64_t grain = std::max<int64_t>(1, kGrainElements / (4 * width * channels));
  at::parallel_for(0, narrow.size(0) * height, grain, [&](int64_t begin, int64_t end) {
    const int64_t narrow_row = width * channels;
    const int64_t wide_row = 4 * width * channels;  // two rows of pixels
    const auto* source = static_cast<const T*>(from.data_ptr());
    auto* destination = static_cast<T*>(to.data_ptr());
    // neighbouring rows of blocks lie one after the other, across examples too
    if (sums) {
      loops.sum_blocks(end - begin, width, channels, factor, source + begin * wide_row,
                       destination + begin * narrow_row);
    } else {
      loops.spread(end - begin, width, channels, factor, source + begin * narrow_row,
                   destination + begin * wide_row);
    }
  });
}

Tensor sum_blocks(const Tensor& wide, float factor) {
  const Tensor from = wide.contiguous(kChannelsLast);
  const Tensor to = at::empty({wide.size(0), wide.size(1), wide.size(2) / 2, wide.size(3) / 2},
                              wide.options().memory_format(kChannelsLast));
  if (wide.scalar_type() == at::kFloat) {
    run(cpu::kernels().resample_float32, /*sums=*/true, factor, from, to);
  } else {
    run(cpu::kernels().resample_bfloat16, /*sums=*/true, factor, from, to);
  }
  return to;
}

Tensor spread(const Tensor& narrow, float factor) {
  const Tensor from = narrow.contiguous(kChannelsLast);
  const Tensor to =
      at::empty({narrow.size(0), narrow.size(1), 2 * narrow.size(2), 2 * narrow.size(3)},
                narrow.options().memory_format(kChannelsLast));
  if (narrow.scalar_type() == at::kFloat) {
    run(cpu::kernels().resample_float32, /*sums=*/false, factor, from, to);
  } else {
    run(cpu::kernels().resample_bfloat16, /*sums=*/false, factor, from, to);
  }
  return to;
}

Tensor fused(const Tensor& x, Resample how) {
  return how == Resample::down ? sum_blocks(x, 0.25f) : spread(x, 1.0f);
}

struct FusedResample : torch::autograd::Function<FusedResample> {
  using Context = torch::autograd::AutogradContext;

  static Tensor forward(Context* ctx, const Tensor& x, Resample how) {
    ctx->saved_data["up"] = how == Resample::up;
    return fused(x, how);
  }

  static torch::autograd::variable_list backward(Context* ctx,
                                                 const torch::autograd::variable_list& dys) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "[resample] can be differentiated only once");
    const Resample how = ctx->saved_data["up"].toBool() ? Resample::up : Resample::down;
    return {resample_backward(dys[0], how), Tensor()};
  }
};

bool fusable(const Tensor& x, Resample how) {
  return x.device().is_cpu() && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) &&
         (how == Resample::up || (x.size(2) % 2 == 0 && x.size(3) % 2 == 0));
}

}  // namespace

Tensor resample(const Tensor& x, Resample how) {
  if (how == Resample::none) return x;
  if (!fusable(x, how)) return resample_plain(x, how);
  if (!at::GradMode::is_enabled() || !x.requires_grad()) return fused(x, how);
  return FusedResample::apply(x, how);
}

Tensor resample_plain(const Tensor& x, Resample how) {
  switch (how) {
    case Resample::none:
      return x;
    case Resample::down:
      return at::avg_pool2d(x, 2);
    case Resample::up:
      break;
  }
  return at::upsample_nearest2d(x, {2 * x.size(2), 2 * x.size(3)});
}

Tensor resample_backward(const Tensor& dy, Resample how) {
  switch (how) {
    case Resample::none:
      return dy;
    case Resample::down:
      return spread(dy, 0.25f);
    case Resample::up:
      break;
  }
  return sum_blocks(dy, 1.0f);
}

}  // namespace halfstep
