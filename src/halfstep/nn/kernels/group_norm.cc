#include "halfstep/nn/kernels/group_norm.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <memory>
#include <numeric>

#include "halfstep/core/shape.h"
#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/images.h"

namespace halfstep {
namespace {

// How the work is cut into tasks. It depends only on the shape, so that the bits of the result do
// not depend on the number of threads.
struct Cut {
  int64_t slabs;  // per example
  int64_t tasks;
  int64_t grain;  // tasks per thread, at least
  cpu::GroupNormSlab slab;
};

Cut cut(const Tensor& x, const GroupNormOptions& options) {
  constexpr int64_t kManyExamples = 16;  // enough to keep the threads busy without cutting examples
  constexpr int64_t kGrainElements = 16384;
  const int64_t channels = x.size(1);
  const int64_t group_size = channels / options.groups;
  // A slab consists of whole cache lines: 32 channels of bfloat16.
  int64_t width = std::lcm(group_size, int64_t{32});
  if (x.size(0) >= kManyExamples || channels % width != 0) width = channels;
  const int64_t positions = x.size(2) * x.size(3);
  return {.slabs = channels / width,
          .tasks = x.size(0) * (channels / width),
          .grain = std::max<int64_t>(1, kGrainElements / (positions * width)),
          .slab = {.positions = positions,
                   .stride = channels,
                   .width = width,
                   .group_size = group_size,
                   .epsilon = options.epsilon,
                   .silu = options.activation == Activation::silu}};
}

// Calls body(example, first channel, scratch) for every slab of every example, on all threads.
template <class Body>
void for_each_slab(const Cut& cut, bool backward, const Body& body) {
  at::parallel_for(0, cut.tasks, cut.grain, [&](int64_t begin, int64_t end) {
    const auto scratch =
        std::make_unique_for_overwrite<float[]>(cpu::scratch_floats(cut.slab, backward));
    for (int64_t task = begin; task < end; ++task) {
      body(task / cut.slabs, task % cut.slabs * cut.slab.width, scratch.get());
    }
  });
}

// The row of each example in a [B, C] or [1, C] matrix.
struct Rows {
  explicit Rows(const Tensor& t)
      : data(data_of<const float>(t)), stride(t.size(0) == 1 ? 0 : t.size(1)) {}
  const float* at(int64_t example, int64_t channel) const {
    return data + example * stride + channel;
  }
  const float* data;
  int64_t stride;
};

// x must be dense and channels-last, scale and shift contiguous.
template <class T>
void forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
             const GroupNormMoments& moments, const Tensor& y, const GroupNormOptions& options) {
  const Cut work = cut(x, options);
  const int64_t image = work.slab.positions * work.slab.stride;
  const Rows scales(scale);
  const Rows shifts(shift);
  for_each_slab(work, /*backward=*/false, [&](int64_t example, int64_t c, float* scratch) {
    const int64_t i = example * image + c;
    const int64_t g = example * options.groups + c / work.slab.group_size;
    cpu::image_kernels<T>().group_norm.forward(work.slab, data_of<const T>(x) + i,
                                               scales.at(example, c), shifts.at(example, c),
                                               data_of<T>(y) + i, data_of<float>(moments.mean) + g,
                                               data_of<float>(moments.rstd) + g, scratch);
  });
}

template <class T>
void backward(const Tensor& dy, const Tensor& x, const Tensor& scale, const Tensor& shift,
              const GroupNormMoments& moments, const Tensor& add,
              const GroupNormGradients& gradients, const GroupNormOptions& options) {
  const Cut work = cut(x, options);
  const int64_t image = work.slab.positions * work.slab.stride;
  const Rows scales(scale);
  const Rows shifts(shift);
  for_each_slab(work, /*backward=*/true, [&](int64_t example, int64_t c, float* scratch) {
    const int64_t i = example * image + c;
    const int64_t g = example * options.groups + c / work.slab.group_size;
    const int64_t row = example * x.size(1) + c;
    cpu::image_kernels<T>().group_norm.backward(
        work.slab, data_of<T>(dy) + i, data_of<const T>(x) + i, scales.at(example, c),
        shifts.at(example, c), data_of<const float>(moments.mean) + g,
        data_of<const float>(moments.rstd) + g, add.defined() ? data_of<const T>(add) + i : nullptr,
        data_of<T>(gradients.dx) + i, data_of<float>(gradients.dscale) + row,
        data_of<float>(gradients.dshift) + row, scratch);
  });
}

// Sums a gradient over the examples, in order, if all of them share one row.
Tensor sum_to_rows(const Tensor& gradient, int64_t rows) {
  if (rows == gradient.size(0)) return gradient;
  const int64_t channels = gradient.size(1);
  Tensor sum = at::zeros({1, channels}, gradient.options());
  float* to = data_of<float>(sum);
  const float* from = data_of<const float>(gradient);
  for (int64_t b = 0; b < gradient.size(0); ++b) {
    for (int64_t c = 0; c < channels; ++c) to[c] += from[b * channels + c];
  }
  return sum;
}

struct FusedGroupNorm : torch::autograd::Function<FusedGroupNorm> {
  using Context = torch::autograd::AutogradContext;

  static Tensor forward(Context* ctx, const Tensor& x, const Tensor& scale, const Tensor& shift,
                        const GroupNormOptions& options) {
    GroupNormMoments moments;
    Tensor y = group_norm_forward(x, scale, shift, options, moments);
    ctx->save_for_backward({x, scale, shift, moments.mean, moments.rstd});
    ctx->saved_data["groups"] = options.groups;
    ctx->saved_data["epsilon"] = options.epsilon;
    ctx->saved_data["silu"] = options.activation == Activation::silu;
    return y;
  }

  static torch::autograd::variable_list backward(Context* ctx,
                                                 const torch::autograd::variable_list& dys) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "[group_norm] can be differentiated only once");
    const auto saved = ctx->get_saved_variables();
    const Tensor& scale = saved[1];
    const GroupNormOptions options{
        .groups = ctx->saved_data["groups"].toInt(),
        .epsilon = ctx->saved_data["epsilon"].toDouble(),
        .activation = ctx->saved_data["silu"].toBool() ? Activation::silu : Activation::none};
    const Tensor dy = dys[0].clone(kChannelsLast);
    const GroupNormGradients gradients = group_norm_backward(
        dy, saved[0], scale, saved[2], {saved[3], saved[4]}, /*add=*/{}, options);
    return {gradients.dx, sum_to_rows(gradients.dscale, scale.size(0)),
            sum_to_rows(gradients.dshift, saved[2].size(0)), Tensor()};
  }
};

// Returns whether x is stored as [B, H, W, C], or is a slice of such a tensor.
bool channels_last(const Tensor& x) {
  return x.is_contiguous(kChannelsLast) || x.suggest_memory_format() == kChannelsLast;
}

}  // namespace

bool has_fused_group_norm(const Tensor& x) {
  return x.device().is_cpu() && x.numel() > 0 &&
         (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

Tensor group_norm_forward(const Tensor& x, const Tensor& scale, const Tensor& shift,
                          const GroupNormOptions& options, GroupNormMoments& moments) {
  const auto floats = at::TensorOptions().dtype(at::kFloat);
  moments = {at::empty({x.size(0), options.groups}, floats),
             at::empty({x.size(0), options.groups}, floats)};
  Tensor y = at::empty_like(x);
  const auto run = x.scalar_type() == at::kFloat ? forward<float> : forward<cpu::BFloat16>;
  run(x, scale.contiguous(), shift.contiguous(), moments, y, options);
  return y;
}

GroupNormGradients group_norm_backward(const Tensor& dy, const Tensor& x, const Tensor& scale,
                                       const Tensor& shift, const GroupNormMoments& moments,
                                       const Tensor& add, const GroupNormOptions& options) {
  const auto floats = at::TensorOptions().dtype(at::kFloat);
  GroupNormGradients gradients{at::empty_like(x), at::empty({x.size(0), x.size(1)}, floats),
                               at::empty({x.size(0), x.size(1)}, floats)};
  const auto run = x.scalar_type() == at::kFloat ? backward<float> : backward<cpu::BFloat16>;
  run(dy, x, scale.contiguous(), shift.contiguous(), moments, add, gradients, options);
  return gradients;
}

Tensor group_norm(const Tensor& x, const Tensor& scale, const Tensor& shift,
                  const GroupNormOptions& options) {
  require_shape("group_norm", "x", x, {-1, -1, -1, -1});
  TORCH_CHECK(options.groups > 0 && x.size(1) % options.groups == 0, "[group_norm] ",
              options.groups, " groups do not divide ", x.size(1), " channels");
  require_shape("group_norm", "scale", scale, {scale.size(0) == 1 ? 1 : x.size(0), x.size(1)});
  require_shape("group_norm", "shift", shift, {shift.size(0) == 1 ? 1 : x.size(0), x.size(1)});
  const bool float_rows = scale.scalar_type() == at::kFloat && shift.scalar_type() == at::kFloat;
  if (!has_fused_group_norm(x) || !float_rows || !channels_last(x))
    return group_norm_plain(x, scale, shift, options);
  const Tensor image = x.contiguous(kChannelsLast);
  const bool differentiate = at::GradMode::is_enabled() &&
                             (x.requires_grad() || scale.requires_grad() || shift.requires_grad());
  if (!differentiate) {
    GroupNormMoments moments;
    return group_norm_forward(image, scale, shift, options, moments);
  }
  return FusedGroupNorm::apply(image, scale, shift, options);
}

Tensor group_norm_plain(const Tensor& x, const Tensor& scale, const Tensor& shift,
                        const GroupNormOptions& options) {
  const bool wide = x.scalar_type() == at::kDouble;
  const Tensor x32 = wide ? x : x.to(at::kFloat);
  // In any memory layout, the groups are a view, and y has the layout of x.
  const auto per_group = [&](const Tensor& rows) {  // [B or 1, groups, C / groups]
    return rows.unflatten(1, {options.groups, -1});
  };
  const auto [var, mean] = at::var_mean(per_group(x32), at::IntArrayRef{2, 3, 4}, /*correction=*/0);
  const Tensor rstd = (var + options.epsilon).rsqrt().unsqueeze(-1);
  const Tensor gain = per_group(scale) * rstd;
  const Tensor offset = per_group(shift) - mean.unsqueeze(-1) * gain;
  const auto per_channel = [](const Tensor& rows) {
    return rows.flatten(1).unsqueeze(-1).unsqueeze(-1);
  };
  Tensor y = at::addcmul(per_channel(offset), x32, per_channel(gain));
  if (options.activation == Activation::silu) y = at::silu(y);
  return y.to(x.scalar_type());
}

}  // namespace halfstep
