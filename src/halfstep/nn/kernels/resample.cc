#include "halfstep/nn/kernels/resample.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/images.h"

namespace halfstep {
namespace {

// The two loops, which are each other's gradients up to the factor: sum_blocks sums the 2 x 2
// blocks of `from`, spread makes a 2 x 2 block of each of its pixels.
enum class Loop { sum_blocks, spread };

template <class T>
void run(Loop loop, float factor, const Tensor& from, const Tensor& to) {
  const Tensor& narrow = loop == Loop::sum_blocks ? to : from;
  const int64_t width = narrow.size(3);
  const int64_t channels = narrow.size(1);
  const auto& loops = cpu::image_kernels<T>().resample;
  const T* const source = data_of<const T>(from);
  T* const destination = data_of<T>(to);
  // One task is one row of blocks. The rows are contiguous, also across examples.
  constexpr int64_t kGrainElements = 16384;
  const int64_t narrow_row = width * channels;
  const int64_t wide_row = 4 * narrow_row;  // two rows of pixels
  const int64_t grain = std::max<int64_t>(1, kGrainElements / wide_row);
  at::parallel_for(0, narrow.size(0) * narrow.size(2), grain, [&](int64_t begin, int64_t end) {
    if (loop == Loop::sum_blocks) {
      loops.sum_blocks(end - begin, width, channels, factor, source + begin * wide_row,
                       destination + begin * narrow_row);
    } else {
      loops.spread(end - begin, width, channels, factor, source + begin * narrow_row,
                   destination + begin * wide_row);
    }
  });
}

Tensor fused(Loop loop, float factor, const Tensor& x) {
  const bool sums = loop == Loop::sum_blocks;
  const Tensor from = x.contiguous(kChannelsLast);
  const Tensor to = empty_images(x, x.size(1), sums ? x.size(2) / 2 : 2 * x.size(2),
                                 sums ? x.size(3) / 2 : 2 * x.size(3));
  const auto run_typed = x.scalar_type() == at::kFloat ? run<float> : run<cpu::BFloat16>;
  run_typed(loop, factor, from, to);
  return to;
}

Tensor fused(const Tensor& x, Resample how) {
  return how == Resample::down ? fused(Loop::sum_blocks, 0.25f, x) : fused(Loop::spread, 1.0f, x);
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
      return fused(Loop::spread, 0.25f, dy);
    case Resample::up:
      break;
  }
  return fused(Loop::sum_blocks, 1.0f, dy);
}

}  // namespace halfstep
