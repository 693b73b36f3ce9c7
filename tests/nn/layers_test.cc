#include "halfstep/nn/layers.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <string>
#include <vector>

#include "halfstep/nn/kernels/winograd.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::random_normal;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

// A NormConv with random parameters, and its definition in float64 ATen operators on the same
// numbers.
struct Layer {
  Layer(const NormConv::Options& options, Precision precision)
      : options(options), layer(parameters, "norm", "conv", options) {
    uint64_t seed = 10;
    for (const NamedTensor& parameter : parameters.named()) {
      const Tensor values = random_normal(parameter.tensor.sizes(), ++seed) * 0.3;
      // bfloat16 numbers, so that the copy is exact
      Tensor(parameter.tensor).copy_(values.to(at::kBFloat16));
      parameter.tensor.requires_grad_();
    }
    parameters.set_precision(precision);
  }

  std::vector<Tensor> masters() const {
    std::vector<Tensor> all;
    for (const NamedTensor& parameter : parameters.named()) all.push_back(parameter.tensor);
    return all;
  }

  // y + the residual resample(x), if the sizes allow it
  Tensor run(const Tensor& x, const Tensor& modulation) const {
    const auto [y, residual] = layer(x, modulation);
    return options.conv.in == options.conv.out ? y + resample(residual, options.resample) : y;
  }

  Tensor defined(const Tensor& x, const Tensor& modulation, const std::vector<Tensor>& p) const {
    Tensor scale = p[0].unsqueeze(0);
    Tensor shift = p[1].unsqueeze(0);
    if (modulation.defined()) {
      const Tensor gain = 1.0 + modulation.chunk(2, 1)[0];
      scale = scale * gain;
      shift = shift * gain + modulation.chunk(2, 1)[1];
    }
    const Tensor h = group_norm_plain(x, scale, shift, options.norm);
    const Tensor kernel =
        p[2].reshape({options.conv.out, options.conv.in, options.conv.kernel_size, -1});
    const Tensor y = at::conv2d(resample_plain(h, options.resample), kernel, p[3], /*stride=*/1,
                                options.conv.kernel_size / 2);
    return options.conv.in == options.conv.out ? y + resample_plain(x, options.resample) : y;
  }

  NormConv::Options options;
  Parameters parameters;
  NormConv layer;
};

void expect_as_defined(const NormConv::Options& options, at::ScalarType dtype, bool modulated) {
  const Layer layer(options, dtype == at::kFloat ? Precision::fp32 : Precision::bf16);
  const Tensor x =
      (random_normal({2, options.conv.in, 6, 8}, 1) + 0.5).to(dtype).contiguous(kChannelsLast);
  const Tensor leaf = x.detach().requires_grad_();
  const Tensor modulation =
      modulated ? (random_normal({2, 2 * options.conv.in}, 2, at::kFloat) * 0.5).requires_grad_()
                : Tensor();
  const Tensor y = layer.run(leaf, modulation);
  const Tensor dy = random_normal(y.sizes(), 3).to(y.scalar_type());
  std::vector<Tensor> inputs = layer.masters();
  inputs.push_back(leaf);
  if (modulated) inputs.push_back(modulation);
  const auto gradients = torch::autograd::grad({y}, inputs, {dy});

  std::vector<Tensor> wide;
  wide.reserve(inputs.size());
  for (const Tensor& input : inputs) {
    wide.push_back(input.detach().to(at::kDouble).requires_grad_());
  }
  const Tensor expected = layer.defined(wide[4], modulated ? wide[5] : Tensor(), wide);
  const auto expected_gradients = torch::autograd::grad({expected}, wide, {dy.to(at::kDouble)});

  // The input of the convolution is rounded once more than the output of the norm.
  const double tolerance = 2.0 * test::relative_tolerance(dtype);
  EXPECT_TENSOR_NEAR(y, expected, tolerance * test::scale_of(expected));
  for (size_t i = 0; i < inputs.size(); ++i) {
    SCOPED_TRACE(i);
    EXPECT_EQ(gradients[i].scalar_type(), inputs[i].scalar_type());
    EXPECT_TENSOR_NEAR(gradients[i], expected_gradients[i],
                       tolerance * test::scale_of(expected_gradients[i]));
  }
  const at::NoGradGuard no_grad;
  EXPECT_TENSOR_NEAR(layer.run(x, modulation), expected, tolerance * test::scale_of(expected));
}

TEST(NormConv, IsItsFormulaInFloat64WithAllGradients) {
  const std::vector<NormConv::Options> all = {
      {.conv = {.in = 64, .out = 64}},
      {.conv = {.in = 96, .out = 32}},
      {.conv = {.in = 288, .out = 256}},
      {.conv = {.in = 64, .out = 64}, .resample = Resample::down},
      {.conv = {.in = 32, .out = 32}, .resample = Resample::up},
      {.conv = {.in = 32, .out = 96, .kernel_size = 1, .matrix = true},
       .norm = {.groups = 8, .epsilon = 1e-3, .activation = Activation::none}},
      {.conv = {.in = 64, .out = 3, .float32 = true}}};
  for (const NormConv::Options& options : all) {
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      for (const bool modulated : {false, true}) {
        SCOPED_TRACE(std::to_string(options.conv.in) + " to " + std::to_string(options.conv.out) +
                     " in " + at::toString(dtype) + (modulated ? " modulated" : ""));
        expect_as_defined(options, dtype, modulated);
      }
    }
  }
}

TEST(NormConv, TheResidualIsTheInputItself) {
  const Layer layer({.conv = {.in = 64, .out = 64}}, Precision::bf16);
  const Tensor x = random_normal({2, 64, 8, 8}, 1).to(at::kBFloat16).contiguous(kChannelsLast);
  EXPECT_EQ(layer.layer(x.detach().requires_grad_()).x.data_ptr(), x.data_ptr());
}

TEST(Dense, ARowDoesNotDependOnTheRowsBesideIt) {
  Parameters parameters;
  const Dense dense(parameters, "dense", 128, 64);
  parameters.initialize(1);
  const Tensor x = random_normal({16, 128}, 1, at::kFloat);
  const Tensor together = dense(x);
  for (const int64_t rows : {1, 2, 3, 4, 5, 8}) {
    EXPECT_TRUE(at::equal(dense(x.narrow(0, 0, rows)), together.narrow(0, 0, rows))) << rows;
  }
}

TEST(UpsamplingKernel, ConvolvesTheDoubledImage) {
  const Tensor weight = random_normal({5, 4, 3, 3}, 1).requires_grad_();
  const Tensor x = random_normal({2, 4, 6, 7}, 2);
  const Tensor doubled = resample_plain(x, Resample::up);
  const Tensor expected = at::conv2d(doubled, weight, {}, /*stride=*/1, /*padding=*/1);
  const Tensor kernel = upsampling_kernel(weight.detach()).detach().requires_grad_();
  const Tensor y = at::conv_transpose2d(x, kernel, {}, /*stride=*/2, /*padding=*/1);
  EXPECT_TENSOR_CLOSE(y, expected);
  const Tensor dy = random_normal(y.sizes(), 3);
  const Tensor dkernel = torch::autograd::grad({y}, {kernel}, {dy})[0];
  const Tensor dweight = torch::autograd::grad({expected}, {weight}, {dy})[0];
  EXPECT_TENSOR_CLOSE(upsampling_kernel_backward(dkernel), dweight);
}

TEST(Conv, UpsamplingIsTheConvolutionOfTheDoubledImage) {
  Parameters parameters;
  const Conv conv(parameters, "up", {.in = 32, .out = 32, .upsample = true});
  parameters.initialize(1);
  const Tensor x = random_normal({2, 32, 5, 6}, 1, at::kFloat).contiguous(kChannelsLast);
  const Tensor weight = parameters.named()[0].tensor;
  const Tensor expected =
      at::conv2d(resample_plain(x, Resample::up), weight, {}, /*stride=*/1, /*padding=*/1);
  EXPECT_TENSOR_CLOSE(conv(x), expected);
}

TEST(CastParameter, FollowsItsMasterAfterChanged) {
  Parameters parameters;
  const CastParameter weight =
      parameters.add_cast("w", {32, 32, 3, 3}, Initializer::lecun_normal, 288);
  parameters.initialize(1);
  EXPECT_EQ(weight.value.data_ptr(), weight.master.data_ptr());
  parameters.set_precision(Precision::bf16);
  EXPECT_TRUE(at::equal(weight.value, weight.master.to(at::kBFloat16)));
  EXPECT_EQ(weight.value.strides(), weight.master.strides());
  Tensor(weight.master).mul_(2.0);
  parameters.changed();
  EXPECT_TRUE(at::equal(weight.value, weight.master.to(at::kBFloat16)));
  parameters.set_precision(Precision::fp32);
  EXPECT_EQ(weight.value.data_ptr(), weight.master.data_ptr());
}

TEST(CastParameter, ForWinogradIsTransformedInFloat32Alone) {
  Parameters parameters;
  const CastParameter weight = parameters.add_cast("w", {32, 48, 3, 3}, Initializer::lecun_normal,
                                                   432, WeightForm::winograd);
  parameters.initialize(1);
  EXPECT_TRUE(at::equal(weight.value, winograd_kernel(weight.master)));
  Tensor(weight.master).mul_(2.0);
  parameters.changed();
  EXPECT_TRUE(at::equal(weight.value, winograd_kernel(weight.master)));
  parameters.set_precision(Precision::bf16);
  EXPECT_TRUE(at::equal(weight.value, weight.master.to(at::kBFloat16)));
  parameters.set_precision(Precision::fp32);
  EXPECT_TRUE(at::equal(weight.value, winograd_kernel(weight.master)));
}

TEST(CastParameter, RoundsToTheNearestBFloat16) {
  Parameters parameters;
  const CastParameter weight = parameters.add_cast("w", {1003}, Initializer::zeros);
  // Ties to even in both directions, and the largest number.
  const Tensor special = at::tensor({1.00390625f, 1.01171875f, 3.4e38f, -1e-30f, 0.0f});
  Tensor(weight.master).copy_(at::cat({special, random_normal({998}, 1, at::kFloat)}));
  parameters.set_precision(Precision::bf16);
  EXPECT_TRUE(at::equal(weight.value, weight.master.to(at::kBFloat16)));
}

}  // namespace
}  // namespace halfstep
