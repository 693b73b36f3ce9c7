#include "halfstep/nn/kernels/winograd.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <memory>

#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/images.h"

namespace halfstep {
namespace {

constexpr int64_t kGrain = 24;  // tiles that the loops process at a time
// Tiles per thread, at least: each thread has its own sum, as large as the transformed kernel.
constexpr int64_t kGradientGrain = 200;

const cpu::WinogradLoops& loops() { return cpu::kernels().winograd; }

std::unique_ptr<float[]> make_scratch(const cpu::WinogradShape& shape) {
  return std::make_unique_for_overwrite<float[]>(
      static_cast<size_t>(loops().scratch_floats(shape)));
}

// Returns the transform of a kernel [3, 3, in, out].
Tensor transformed(const Tensor& kernel) {
  const Tensor g = kernel.contiguous();
  const int64_t in = g.size(2);
  const int64_t out = g.size(3);
  Tensor u = at::empty({16, in, out}, g.options());
  loops().kernel(in, out, data_of<const float>(g), data_of<uint32_t>(u));
  return u;
}

}  // namespace

Tensor winograd_kernel(const Tensor& kernel) {
  return transformed(kernel.detach().permute({2, 3, 1, 0}));
}

Tensor winograd(const Tensor& images, const Tensor& u, const Tensor& bias) {
  const Tensor x = images.contiguous(kChannelsLast);
  const cpu::WinogradShape shape{
      .height = x.size(2), .width = x.size(3), .in = u.size(1), .out = u.size(2)};
  const Tensor y = empty_images(x, shape.out, shape.height, shape.width);
  const float* const b = bias.defined() ? data_of<const float>(bias) : nullptr;
  at::parallel_for(0, x.size(0) * tiles(shape), kGrain, [&](int64_t begin, int64_t end) {
    const auto scratch = make_scratch(shape);
    loops().forward(shape, begin, end - begin, data_of<const float>(x), data_of<const uint32_t>(u),
                    b, data_of<float>(y), scratch.get());
  });
  return y;
}

Tensor winograd_input_gradient(const Tensor& dy, const Tensor& kernel) {
  return winograd(dy, transformed(kernel.detach().flip({2, 3}).permute({2, 3, 0, 1})), {});
}

Tensor winograd_kernel_gradient(const Tensor& gradient, const Tensor& images) {
  const Tensor dy = gradient.contiguous(kChannelsLast);
  const Tensor x = images.contiguous(kChannelsLast);
  const cpu::WinogradShape shape{
      .height = x.size(2), .width = x.size(3), .in = x.size(1), .out = dy.size(1)};
  const int64_t count = x.size(0) * tiles(shape);
  const int64_t shares = std::clamp<int64_t>(count / kGradientGrain, 1, at::get_num_threads());
  const int64_t floats = 16 * shape.in * shape.out;
  const Tensor sums = at::zeros({shares, 16, shape.in, shape.out}, x.options());
  at::parallel_for(0, shares, 1, [&](int64_t begin, int64_t end) {
    const auto scratch = make_scratch(shape);
    for (int64_t share = begin; share < end; ++share) {
      const int64_t first = count * share / shares;
      loops().add_products(shape, first, count * (share + 1) / shares - first,
                           data_of<const float>(x), data_of<const float>(dy),
                           data_of<float>(sums) + share * floats, scratch.get());
    }
  });
  const Tensor du = shares == 1 ? sums : sums.sum(0);
  const Tensor dg = at::empty({3, 3, shape.in, shape.out}, x.options());
  loops().kernel_gradient(shape.in, shape.out, data_of<const float>(du), data_of<float>(dg));
  return dg.permute({3, 2, 0, 1}).contiguous(kChannelsLast);
}

}  // namespace halfstep
