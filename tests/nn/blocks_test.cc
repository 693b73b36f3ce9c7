// Options that the blocks of diffusers have and the official ones do not. These tests compare the
// gradients with those of the definition in float64; tests/convert/diffusers_test.cc has the
// values.
#include "halfstep/nn/blocks.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "halfstep/nn/kernels/attention.h"
#include "halfstep/nn/kernels/group_norm.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::random_normal;
using Weights = std::map<std::string, Tensor>;

// Fills the parameters with random bfloat16 numbers, so that bfloat16 copies are exact.
void fill(const Parameters& parameters) {
  uint64_t seed = 10;
  for (const NamedTensor& parameter : parameters.named()) {
    const Tensor values = random_normal(parameter.tensor.sizes(), ++seed) * 0.3;
    Tensor(parameter.tensor).copy_(values.to(at::kBFloat16));
    parameter.tensor.requires_grad_();
  }
}

// Expects output and gradients of the layer to be those of its definition in float64.
void expect_as_defined(
    const Parameters& parameters, std::vector<Tensor> inputs,
    const std::function<Tensor(const std::vector<Tensor>&)>& layer,
    const std::function<Tensor(const std::vector<Tensor>&, const Weights&)>& definition) {
  std::vector<Tensor> leaves;
  std::vector<Tensor> wide_inputs;
  std::vector<Tensor> wide_leaves;
  Weights weights;
  for (Tensor& input : inputs) {
    leaves.push_back(input.requires_grad_());
    wide_inputs.push_back(input.detach().to(at::kDouble).requires_grad_());
    wide_leaves.push_back(wide_inputs.back());
  }
  for (const auto& [name, tensor] : parameters.named()) {
    leaves.push_back(tensor);
    wide_leaves.push_back(tensor.detach().to(at::kDouble).requires_grad_());
    weights.emplace(name, wide_leaves.back());
  }
  const Tensor y = layer(inputs);
  const Tensor expected = definition(wide_inputs, weights);
  EXPECT_TENSOR_CLOSE(y, expected);
  const Tensor dy = random_normal(y.sizes(), 3, at::kFloat);
  const auto gradients = torch::autograd::grad({y}, leaves, {dy});
  const auto wanted = torch::autograd::grad({expected}, wide_leaves, {dy.to(at::kDouble)});
  for (size_t i = 0; i < leaves.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_TENSOR_NEAR(gradients[i], wanted[i],
                       test::kFloat32Tolerance * std::max(1.0, test::scale_of(wanted[i])));
  }
}

Tensor images(at::IntArrayRef shape, uint64_t seed) {
  return random_normal(shape, seed, at::kFloat).contiguous(at::MemoryFormat::ChannelsLast);
}

Tensor row(const Tensor& t) { return t.unsqueeze(0); }

TEST(ResnetBlock, ShiftsBeforeTheSecondNorm) {
  const GroupNormOptions norm{.groups = 3, .epsilon = 1e-3};
  Parameters parameters;
  const ResnetBlock block(
      parameters, "b", {.in = 6, .out = 9, .emb = 5, .time = TimeScaleShift::shift, .norm = norm});
  fill(parameters);
  const auto silu_norm = [&](const Tensor& x, const Tensor& weight, const Tensor& bias) {
    GroupNormOptions options = norm;
    options.activation = Activation::silu;
    return group_norm_plain(x, row(weight), row(bias), options);
  };
  expect_as_defined(
      parameters, {images({2, 6, 4, 6}, 1), random_normal({2, 5}, 2, at::kFloat)},
      [&](const std::vector<Tensor>& in) { return block(in[0], in[1], std::nullopt); },
      [&](const std::vector<Tensor>& in, const Weights& w) {
        const Tensor h = at::conv2d(silu_norm(in[0], w.at("b.norm1.weight"), w.at("b.norm1.bias")),
                                    w.at("b.conv1.weight"), w.at("b.conv1.bias"), 1, 1);
        const Tensor time = at::linear(in[1], w.at("b.temb_proj.weight"), w.at("b.temb_proj.bias"));
        const Tensor shifted = h + time.unsqueeze(-1).unsqueeze(-1);
        return at::conv2d(silu_norm(shifted, w.at("b.norm2.weight"), w.at("b.norm2.bias")),
                          w.at("b.conv2.weight"), w.at("b.conv2.bias"), 1, 1) +
               at::conv2d(in[0], w.at("b.nin_shortcut.weight"), w.at("b.nin_shortcut.bias"));
      });
}

TEST(AttentionBlock, TakesItsInputAsItIsWithoutANorm) {
  Parameters parameters;
  const AttentionBlock block(parameters, "a", {.channels = 6, .heads = 2, .norm = std::nullopt});
  fill(parameters);
  EXPECT_EQ(parameters.named().front().name, "a.qkv.weight");
  expect_as_defined(
      parameters, {images({2, 6, 3, 4}, 1)},
      [&](const std::vector<Tensor>& in) { return block(in[0]); },
      [&](const std::vector<Tensor>& in, const Weights& w) {
        const auto kernel = [](const Tensor& t) { return t.unsqueeze(-1).unsqueeze(-1); };
        const Tensor qkv = at::conv2d(in[0], kernel(w.at("a.qkv.weight")), w.at("a.qkv.bias"));
        return in[0] + at::conv2d(attention_plain(qkv, 2), kernel(w.at("a.proj_out.weight")),
                                  w.at("a.proj_out.bias"));
      });
}

TEST(Conv, SymmetricHalvingPadsAllSides) {
  Parameters parameters;
  const Conv conv(parameters, "c", {.in = 3, .out = 5, .stride = 2, .symmetric = true});
  fill(parameters);
  expect_as_defined(
      parameters, {images({2, 3, 6, 8}, 1)},
      [&](const std::vector<Tensor>& in) { return conv(in[0]); },
      [&](const std::vector<Tensor>& in, const Weights& w) {
        return at::conv2d(in[0], w.at("c.weight"), w.at("c.bias"), /*stride=*/2, /*padding=*/1);
      });
}

}  // namespace
}  // namespace halfstep
