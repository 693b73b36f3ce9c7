#include "halfstep/nn/kernels/attention.h"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "halfstep/core/shape.h"
#include "halfstep/nn/kernels/cpu.h"
#include "halfstep/nn/kernels/images.h"

namespace halfstep {
namespace {

// Locates the heads in qkv and in the output.
struct Heads {
  Heads(const Tensor& qkv, int64_t number)
      : batch(qkv.size(0)),
        number(number),
        channels(qkv.size(1) / 3),
        head{.positions = qkv.size(2) * qkv.size(3),
             .head_dim = channels / number,
             .stride = 3 * channels,
             .out_stride = channels,
             .scale = 0.0f} {
    head.scale = 1.0f / std::sqrt(static_cast<float>(head.head_dim));
  }

  // Returns q (0), k (1) or v (2) of head h of example b, in a tensor like qkv.
  template <class Element>
  Element* part(Element* qkv, int64_t b, int64_t h, int64_t which) const {
    return qkv + b * head.positions * head.stride + which * channels + h * head.head_dim;
  }
  template <class Element>
  Element* out(Element* out, int64_t b, int64_t h) const {
    return out + b * head.positions * head.out_stride + h * head.head_dim;
  }

  int64_t batch;
  int64_t number;
  int64_t channels;
  cpu::AttentionHead head;
};

using Scratch = std::unique_ptr<uint32_t[]>;

Scratch make_scratch(int64_t words) {
  return std::make_unique_for_overwrite<uint32_t[]>(static_cast<size_t>(words));
}

template <class T>
void forward(const Tensor& qkv, int64_t number, const Tensor& out, const Tensor& lse) {
  const Heads heads(qkv, number);
  const cpu::AttentionHead& head = heads.head;
  // If there are few heads, they are cut into rows to keep the threads busy. The cut changes no
  // bits.
  constexpr int64_t kManyHeads = 16;
  constexpr int64_t kRows = 96;
  const int64_t rows = heads.batch * number >= kManyHeads ? head.positions : kRows;
  const int64_t cuts = (head.positions + rows - 1) / rows;
  at::parallel_for(0, heads.batch * number * cuts, 1, [&](int64_t begin, int64_t end) {
    const Scratch scratch =
        make_scratch(cpu::image_kernels<T>().attention.scratch_words(head, /*backward=*/false));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t b = task / cuts / number;
      const int64_t h = task / cuts % number;
      const int64_t first = task % cuts * rows;
      const auto part = [&](int64_t which) {
        return heads.part(data_of<const T>(qkv), b, h, which);
      };
      cpu::image_kernels<T>().attention.forward(
          head, part(0), part(1), part(2), first, std::min(rows, head.positions - first),
          heads.out(data_of<T>(out), b, h), data_of<float>(lse) + (b * number + h) * head.positions,
          scratch.get());
    }
  });
}

template <class T>
void backward(const Tensor& qkv, int64_t number, const Tensor& out, const Tensor& lse,
              const Tensor& dout, const Tensor& dqkv) {
  const Heads heads(qkv, number);
  const cpu::AttentionHead& head = heads.head;
  at::parallel_for(0, heads.batch * number, 1, [&](int64_t begin, int64_t end) {
    const Scratch scratch =
        make_scratch(cpu::image_kernels<T>().attention.scratch_words(head, /*backward=*/true));
    for (int64_t task = begin; task < end; ++task) {
      const int64_t b = task / number;
      const int64_t h = task % number;
      const auto part = [&](int64_t which) {
        return heads.part(data_of<const T>(qkv), b, h, which);
      };
      const auto dpart = [&](int64_t which) { return heads.part(data_of<T>(dqkv), b, h, which); };
      cpu::image_kernels<T>().attention.backward(
          head, part(0), part(1), part(2), heads.out(data_of<const T>(out), b, h),
          data_of<const float>(lse) + task * head.positions,
          heads.out(data_of<const T>(dout), b, h), dpart(0), dpart(1), dpart(2), scratch.get());
    }
  });
}

struct Output {
  Tensor out;
  Tensor lse;  // float32 [B, heads, H W]: the log-sum-exp of each row of the scores
};

Output run_forward(const Tensor& qkv, int64_t heads) {
  Output output{empty_images(qkv, qkv.size(1) / 3, qkv.size(2), qkv.size(3)),
                at::empty({qkv.size(0), heads, qkv.size(2) * qkv.size(3)},
                          at::TensorOptions().dtype(at::kFloat))};
  const auto run = qkv.scalar_type() == at::kFloat ? forward<float> : forward<cpu::BFloat16>;
  run(qkv, heads, output.out, output.lse);
  return output;
}

struct FusedAttention : torch::autograd::Function<FusedAttention> {
  using Context = torch::autograd::AutogradContext;

  static Tensor forward(Context* ctx, const Tensor& qkv, int64_t heads) {
    const Output output = run_forward(qkv, heads);
    ctx->save_for_backward({qkv, output.out, output.lse});
    ctx->saved_data["heads"] = heads;
    return output.out;
  }

  static torch::autograd::variable_list backward(Context* ctx,
                                                 const torch::autograd::variable_list& douts) {
    TORCH_CHECK(!at::GradMode::is_enabled(), "[attention] can be differentiated only once");
    const auto saved = ctx->get_saved_variables();
    const Tensor& qkv = saved[0];
    const Tensor dout = douts[0].contiguous(kChannelsLast);
    const Tensor dqkv = at::empty_like(qkv);
    const auto run = qkv.scalar_type() == at::kFloat ? halfstep::backward<float>
                                                     : halfstep::backward<cpu::BFloat16>;
    run(qkv, ctx->saved_data["heads"].toInt(), saved[1], saved[2], dout, dqkv);
    return {dqkv, Tensor()};
  }
};

bool fusable(const Tensor& qkv, int64_t heads) {
  if (!qkv.device().is_cpu() || qkv.numel() == 0) return false;
  if (qkv.scalar_type() == at::kFloat) return true;
  return qkv.scalar_type() == at::kBFloat16 &&
         cpu::image_kernels<cpu::BFloat16>().attention.forward != nullptr &&
         qkv.size(1) / 3 / heads % 2 == 0;
}

}  // namespace

Tensor attention(const Tensor& qkv, int64_t heads) {
  require_shape("attention", "qkv", qkv, {-1, -1, -1, -1});
  TORCH_CHECK(heads > 0 && qkv.size(1) % (3 * heads) == 0, "[attention] ", heads,
              " heads of q, k and v do not divide ", qkv.size(1), " channels");
  if (!fusable(qkv, heads)) return attention_plain(qkv, heads);
  const Tensor dense = qkv.contiguous(kChannelsLast);
  if (!at::GradMode::is_enabled() || !qkv.requires_grad()) return run_forward(dense, heads).out;
  return FusedAttention::apply(dense, heads);
}

Tensor attention_plain(const Tensor& qkv, int64_t heads) {
  const int64_t batch = qkv.size(0);
  const int64_t channels = qkv.size(1) / 3;
  const Tensor parts =
      qkv.reshape({batch, 3, heads, channels / heads, -1}).permute({1, 0, 2, 4, 3});
  const Tensor mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
  return mixed.transpose(2, 3)
      .reshape({batch, channels, qkv.size(2), qkv.size(3)})
      .contiguous(kChannelsLast);
}

}  // namespace halfstep
