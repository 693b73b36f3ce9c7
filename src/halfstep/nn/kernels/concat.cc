#include "halfstep/nn/kernels/concat.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cstring>

#include "halfstep/core/shape.h"
#include "halfstep/nn/kernels/images.h"

namespace halfstep {
namespace {

// Copies between the rows of `part` and their place in the wider rows of `whole`.
struct Columns {
  Columns(const Tensor& whole, const Tensor& part, int64_t first)
      : whole(data_of<char>(whole) + first * whole.element_size()),
        part(data_of<char>(part)),
        stride(static_cast<size_t>(whole.size(1) * whole.element_size())),
        bytes(static_cast<size_t>(part.size(1) * part.element_size())) {}
  void join(size_t row) const { std::memcpy(whole + row * stride, part + row * bytes, bytes); }
  void split(size_t row) const { std::memcpy(part + row * bytes, whole + row * stride, bytes); }

  char* whole;
  char* part;
  size_t stride;
  size_t bytes;
};

template <class Row>
void for_each_position(const Tensor& whole, const Row& row) {
  constexpr int64_t kGrainElements = 16384;
  const int64_t grain = std::max<int64_t>(1, kGrainElements / whole.size(1));
  const int64_t positions = whole.size(0) * whole.size(2) * whole.size(3);
  at::parallel_for(0, positions, grain, [&](int64_t begin, int64_t end) {
    for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) row(i);
  });
}

Tensor join(const Tensor& a, const Tensor& b) {
  Tensor whole = empty_images(a, a.size(1) + b.size(1), a.size(2), a.size(3));
  const Columns left(whole, a, 0);
  const Columns right(whole, b, a.size(1));
  for_each_position(whole, [&](size_t i) {
    left.join(i);
    right.join(i);
  });
  return whole;
}

struct ConcatChannels : torch::autograd::Function<ConcatChannels> {
  using Context = torch::autograd::AutogradContext;

  static Tensor forward(Context* ctx, const Tensor& a, const Tensor& b) {
    ctx->saved_data["channels"] = a.size(1);
    return join(a, b);
  }

  static torch::autograd::variable_list backward(Context* ctx,
                                                 const torch::autograd::variable_list& gradients) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "[concat_channels] can be differentiated only once");
    const Tensor whole = gradients[0].contiguous(kChannelsLast);
    const int64_t channels = ctx->saved_data["channels"].toInt();
    const Tensor a = empty_images(whole, channels, whole.size(2), whole.size(3));
    const Tensor b = empty_images(whole, whole.size(1) - channels, whole.size(2), whole.size(3));
    const Columns left(whole, a, 0);
    const Columns right(whole, b, channels);
    for_each_position(whole, [&](size_t i) {
      left.split(i);
      right.split(i);
    });
    return {a, b};
  }
};

}  // namespace

Tensor concat_channels(const Tensor& a, const Tensor& b) {
  require_shape("concat_channels", "b", b, {a.size(0), b.size(1), a.size(2), a.size(3)});
  if (!a.device().is_cpu() || a.scalar_type() != b.scalar_type()) return at::cat({a, b}, 1);
  const Tensor left = a.contiguous(kChannelsLast);
  const Tensor right = b.contiguous(kChannelsLast);
  if (!at::GradMode::is_enabled() || !(a.requires_grad() || b.requires_grad()))
    return join(left, right);
  return ConcatChannels::apply(left, right);
}

}  // namespace halfstep
