#include "halfstep/nn/activation_checkpoint.h"

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/custom_class.h>

#include <optional>
#include <utility>

namespace halfstep {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// The form in which a node of the graph can hold something other than a tensor.
struct HeldBlock : torch::CustomClassHolder {
  explicit HeldBlock(Block block) : block(std::move(block)) {}
  Block block;
};

Tensor leaf_of(const Tensor& tensor) {
  return tensor.defined() ? tensor.detach().requires_grad_(tensor.requires_grad()) : tensor;
}

Tensor gradient_of(const Tensor& leaf) { return leaf.defined() ? leaf.grad() : leaf; }

struct Checkpointed : torch::autograd::Function<Checkpointed> {
  static Tensor forward(AutogradContext* ctx, const Tensor& h,
                        const std::optional<Tensor>& given_skip, const Tensor& emb,
                        const Block& block) {
    const Tensor skip = given_skip.value_or(Tensor());
    ctx->save_for_backward({h, skip, emb});
    ctx->saved_data["block"] = c10::IValue::make_capsule(c10::make_intrusive<HeldBlock>(block));
    return block(h, skip, emb);
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& dys) {
    const auto capsule = ctx->saved_data["block"].toCapsule();
    const Block& block = static_cast<const HeldBlock&>(*capsule).block;
    const variable_list saved = ctx->get_saved_variables();
    const Tensor h = leaf_of(saved[0]);
    const Tensor skip = leaf_of(saved[1]);
    const Tensor emb = leaf_of(saved[2]);
    const at::AutoGradMode with_graph(true);
    torch::autograd::backward({block(h, skip, emb)}, dys);
    return {gradient_of(h), gradient_of(skip), gradient_of(emb), Tensor()};
  }
};

}  // namespace

Tensor checkpointed(const Block& block, const Tensor& h, const Tensor& skip, const Tensor& emb) {
  // An input of a node may be nullopt, but not an undefined tensor.
  return Checkpointed::apply(h, skip.defined() ? std::optional(skip) : std::nullopt, emb, block);
}

}  // namespace halfstep
