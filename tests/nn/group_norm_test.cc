#include "halfstep/nn/kernels/group_norm.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <string>
#include <tuple>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/instruction_set.h"
#include "halfstep/nn/kernels/cpu.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::random_normal;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

struct Inputs {
  Tensor x, scale, shift, dy;

  Inputs to(at::ScalarType image, at::ScalarType rows) const {
    return {x.to(image), scale.to(rows), shift.to(rows), dy.to(image)};
  }
};

struct Results {
  Tensor y, dx, dscale, dshift;
};

template <class GroupNorm>
Results run(GroupNorm group_norm, const Inputs& in, const GroupNormOptions& options) {
  const Tensor x = in.x.detach().requires_grad_();
  const Tensor scale = in.scale.detach().requires_grad_();
  const Tensor shift = in.shift.detach().requires_grad_();
  const Tensor y = group_norm(x, scale, shift, options);
  const auto gradients = torch::autograd::grad({y}, {x, scale, shift}, {in.dy});
  return {y.detach(), gradients[0], gradients[1], gradients[2]};
}

// Expects the values of the plain form in float64 on the same numbers, within the tolerance: sums
// are computed in float32 or better, and bfloat16 is rounded once at the input and once at the
// output.
void expect_as_defined(const Inputs& in, const GroupNormOptions& options) {
  const Results expected = run(group_norm_plain, in.to(at::kDouble, at::kDouble), options);
  const Results actual = run(group_norm, in, options);
  ASSERT_EQ(actual.y.scalar_type(), in.x.scalar_type());
  ASSERT_EQ(actual.dx.scalar_type(), in.x.scalar_type());
  ASSERT_EQ(actual.dscale.scalar_type(), at::kFloat);
  EXPECT_TENSOR_CLOSE(actual.y, expected.y);
  EXPECT_TENSOR_CLOSE(actual.dx, expected.dx);
  EXPECT_TENSOR_CLOSE(actual.dscale, expected.dscale);
  EXPECT_TENSOR_CLOSE(actual.dshift, expected.dshift);
  // The same kernel runs without a graph, so the bits are the same.
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(group_norm(in.x, in.scale, in.shift, options), actual.y));
}

// Returns channels-last images whose mean is not zero.
Inputs make_inputs(at::IntArrayRef shape, int64_t rows, at::ScalarType dtype) {
  const Inputs in{random_normal(shape, 1) * 3.0 + 1.0, random_normal({rows, shape[1]}, 2) + 1.0,
                  random_normal({rows, shape[1]}, 3), random_normal(shape, 4)};
  const Inputs typed = in.to(dtype, at::kFloat);
  return {typed.x.contiguous(kChannelsLast), typed.scale, typed.shift,
          typed.dy.contiguous(kChannelsLast)};
}

using Shape = std::vector<int64_t>;

class GroupNormOf
    : public testing::TestWithParam<std::tuple<Shape, at::ScalarType, Activation, bool>> {};

TEST_P(GroupNormOf, IsThePlainFormInFloat64WithAllGradients) {
  const auto& [shape, dtype, activation, row_an_example] = GetParam();
  const int64_t channels = shape[1];
  const int64_t groups = channels % 32 == 0 ? 32 : channels % 3 == 0 ? 3 : 1;
  expect_as_defined(make_inputs(shape, row_an_example ? shape[0] : 1, dtype),
                    {.groups = groups, .activation = activation});
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, GroupNormOf,
    testing::Combine(testing::Values(Shape{2, 32, 28, 28}, Shape{2, 64, 14, 14}, Shape{3, 96, 5, 7},
                                     Shape{1, 160, 8, 8}, Shape{1, 192, 9, 9}, Shape{17, 256, 3, 3},
                                     Shape{2, 192, 1, 1}, Shape{2, 64, 65, 1}, Shape{2, 21, 6, 5},
                                     Shape{20, 6, 4, 4}, Shape{2, 1, 5, 5}),
                     testing::Values(at::kFloat, at::kBFloat16),
                     testing::Values(Activation::none, Activation::silu), testing::Bool()));

// Devices run the plain form, whose convolutions before and after are channels-last.
TEST(GroupNorm, ThePlainFormKeepsTheMemoryLayout) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const Inputs in = make_inputs({2, 64, 6, 5}, 2, dtype);
    const GroupNormOptions options{.activation = Activation::silu};
    const Results last = run(group_norm_plain, in, options);
    EXPECT_TRUE(last.y.is_contiguous(kChannelsLast));
    EXPECT_TRUE(last.dx.is_contiguous(kChannelsLast));
    const Inputs first{in.x.contiguous(), in.scale, in.shift, in.dy.contiguous()};
    const Results planes = run(group_norm_plain, first, options);
    EXPECT_TRUE(planes.y.is_contiguous());
    EXPECT_TENSOR_CLOSE(planes.y, last.y);
  }
}

TEST(GroupNorm, KeepsItsDigitsWhenTheMeanIsLarge) {
  Inputs in = make_inputs({2, 64, 40, 40}, 2, at::kFloat);
  in.x += 1000.0;
  const GroupNormOptions options{.activation = Activation::silu};
  const Results expected = run(group_norm_plain, in.to(at::kDouble, at::kDouble), options);
  const Results actual = run(group_norm, in, options);
  // float32 rounds the mean by 3e-5, which is 1e-5 of a deviation, a few times as chunks are
  // combined. With a plain sum of squares, no digit would be left.
  constexpr double kTolerance = 1e-4;
  EXPECT_TENSOR_NEAR(actual.y, expected.y, kTolerance * test::scale_of(expected.y));
  EXPECT_TENSOR_NEAR(actual.dx, expected.dx, kTolerance * test::scale_of(expected.dx));
  EXPECT_TENSOR_NEAR(actual.dscale, expected.dscale, kTolerance * test::scale_of(expected.dscale));
}

TEST(GroupNorm, SiluIsRightFromTailToTail) {
  // One channel per group and mean 0, so that scale sets the range of the activation's argument.
  Tensor x = at::linspace(-1.0, 1.0, 64, at::kFloat).reshape({1, 1, 8, 8}).repeat({1, 3, 1, 1});
  x = x.contiguous(kChannelsLast);
  const Inputs in{x, at::tensor({1e-3f, 10.0f, 300.0f}).unsqueeze(0), at::zeros({1, 3}),
                  random_normal({1, 3, 8, 8}, 1, at::kFloat)};
  const GroupNormOptions options{.groups = 3, .activation = Activation::silu};
  const Results expected = run(group_norm_plain, in.to(at::kDouble, at::kDouble), options);
  const Results actual = run(group_norm, in, options);
  for (int64_t c = 0; c < 3; ++c) {
    EXPECT_TENSOR_CLOSE(actual.y.select(1, c), expected.y.select(1, c));
    EXPECT_TENSOR_CLOSE(actual.dx.select(1, c), expected.dx.select(1, c));
  }
}

TEST(GroupNorm, NotANumberStaysNotANumber) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    Inputs in = make_inputs({2, 32, 4, 4}, 1, dtype);
    in.x[0][5][2][2] = std::numeric_limits<float>::quiet_NaN();
    const Tensor y = group_norm(in.x, in.scale, in.shift, {.activation = Activation::silu});
    EXPECT_TRUE(at::isnan(y[0][5]).all().item<bool>());
    EXPECT_FALSE(at::isnan(y[1]).any().item<bool>());
  }
}

TEST(GroupNorm, TakesAnyMemoryLayout) {
  const Inputs in = make_inputs({3, 64, 6, 5}, 3, at::kFloat);
  const GroupNormOptions options{.activation = Activation::silu};
  const auto with = [&](const Tensor& x, const Tensor& dy) {
    return Inputs{x, in.scale, in.shift, dy};
  };
  // A slice of channels, a slice of rows, every other example; NCHW; transposed.
  const Tensor wide = at::cat({in.x, in.x}, 1).contiguous(kChannelsLast);
  const Tensor tall = at::cat({in.x, in.x}, 2).contiguous(kChannelsLast);
  const Tensor many = at::cat({in.x, in.x}, 0).contiguous(kChannelsLast);
  expect_as_defined(with(wide.narrow(1, 32, 64), in.dy), options);
  expect_as_defined(with(tall.narrow(2, 3, 6), in.dy), options);
  expect_as_defined(with(many.slice(0, 0, 6, 2), in.dy), options);
  expect_as_defined(with(in.x.contiguous(), in.dy.contiguous()), options);
  expect_as_defined(with(in.x, in.dy.contiguous()), options);
  expect_as_defined(with(in.x.transpose(2, 3), in.dy.transpose(2, 3)), options);
  // scale and shift are slices of a projection, and the gradient has stride 0.
  const Tensor rows = random_normal({3, 128}, 5, at::kFloat);
  expect_as_defined({in.x, rows.narrow(1, 0, 64), rows.narrow(1, 64, 64), in.dy}, options);
  expect_as_defined(with(in.x, at::ones({}, at::kFloat).expand({3, 64, 6, 5})), options);
}

TEST(GroupNorm, KeepsChannelsLast) {
  const Inputs in = make_inputs({2, 32, 6, 5}, 1, at::kBFloat16);
  const Results results = run(group_norm, in, {});
  EXPECT_TRUE(results.y.is_contiguous(kChannelsLast));
  EXPECT_TRUE(results.dx.is_contiguous(kChannelsLast));
}

TEST(GroupNorm, DoubleIsThePlainForm) {
  const Inputs in = make_inputs({2, 32, 6, 5}, 2, at::kFloat).to(at::kDouble, at::kDouble);
  const GroupNormOptions options{.activation = Activation::silu};
  const Results expected = run(group_norm_plain, in, options);
  const Results actual = run(group_norm, in, options);
  EXPECT_TRUE(at::equal(actual.y, expected.y));
  EXPECT_TRUE(at::equal(actual.dx, expected.dx));
}

TEST(GroupNorm, GradientsOfSomeInputsOnly) {
  const Inputs in = make_inputs({2, 32, 6, 5}, 1, at::kFloat);
  const Results all = run(group_norm, in, {});
  const Tensor scale = in.scale.detach().requires_grad_();
  const Tensor y = group_norm(in.x, scale, in.shift, {});
  EXPECT_TRUE(at::equal(torch::autograd::grad({y}, {scale}, {in.dy})[0], all.dscale));
}

TEST(GroupNorm, BuildsNoGraphUnlessAnInputRequiresAGradient) {
  const Inputs in = make_inputs({2, 32, 6, 5}, 1, at::kFloat);
  EXPECT_FALSE(group_norm(in.x, in.scale, in.shift, {}).requires_grad());
  const Tensor x = in.x.detach().requires_grad_();
  EXPECT_TRUE(group_norm(x, in.scale, in.shift, {}).requires_grad());
  const at::NoGradGuard no_grad;
  EXPECT_FALSE(group_norm(x, in.scale, in.shift, {}).requires_grad());
}

TEST(GroupNorm, SecondDerivativeIsRefused) {
  const Inputs in = make_inputs({2, 32, 6, 5}, 1, at::kFloat);
  const Tensor x = in.x.detach().requires_grad_();
  const Tensor y = group_norm(x, in.scale, in.shift, {});
  EXPECT_THROW(torch::autograd::grad({y}, {x}, {in.dy}, /*retain_graph=*/true,
                                     /*create_graph=*/true),
               c10::Error);
}

TEST(GroupNorm, RejectsOtherShapes) {
  const Inputs in = make_inputs({2, 32, 6, 5}, 1, at::kFloat);
  EXPECT_THROW(group_norm(in.x[0], in.scale, in.shift, {}), ConfigError);
  EXPECT_THROW(group_norm(in.x, in.scale.narrow(1, 0, 8), in.shift, {}), ConfigError);
  EXPECT_THROW(group_norm(in.x, in.scale, in.shift.repeat({3, 1}), {}), ConfigError);
  EXPECT_THROW(group_norm(in.x, in.scale, in.shift, {.groups = 5}), c10::Error);
}

TEST(GroupNorm, BitsDoNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  // Many examples; few, which are cut into slabs; and one row of scales for more examples than ATen
  // sums serially.
  for (const Shape& shape : {Shape{33, 64, 14, 14}, Shape{1, 192, 16, 16}, Shape{600, 96, 3, 3}}) {
    const Inputs in = make_inputs(shape, 1, at::kFloat);
    const GroupNormOptions options{.activation = Activation::silu};
    at::set_num_threads(1);
    const Results one = run(group_norm, in, options);
    for (const int threads : {2, 3, 5}) {
      at::set_num_threads(threads);
      const Results some = run(group_norm, in, options);
      EXPECT_TRUE(at::equal(some.y, one.y));
      EXPECT_TRUE(at::equal(some.dx, one.dx));
      EXPECT_TRUE(at::equal(some.dscale, one.dscale));
      EXPECT_TRUE(at::equal(some.dshift, one.dshift));
    }
  }
  at::set_num_threads(before);
}

// Compares all instruction sets that this machine has and the environment allows.
std::vector<const cpu::Kernels*> available_kernels() {
  std::vector<const cpu::Kernels*> all = {&cpu::kBaseline};
#if defined(__x86_64__)
  if (instruction_set() >= InstructionSet::avx2) all.push_back(&cpu::kAvx2);
  if (instruction_set() >= InstructionSet::avx512) all.push_back(&cpu::kAvx512);
  if (instruction_set() >= InstructionSet::avx512_bf16) all.push_back(&cpu::kAvx512Bf16);
#endif
  return all;
}

TEST(GroupNorm, InstructionSetsAgree) {
  const cpu::GroupNormSlab slab{
      .positions = 35, .stride = 63, .width = 63, .group_size = 3, .epsilon = 1e-6, .silu = true};
  const Inputs in = make_inputs({1, 63, 5, 7}, 1, at::kFloat);
  const GroupNormOptions options{.groups = 21, .activation = Activation::silu};
  const Results expected = run(group_norm_plain, in.to(at::kDouble, at::kDouble), options);
  for (const cpu::Kernels* kernels : available_kernels()) {
    const Results actual{at::empty_like(in.x), at::empty_like(in.x), at::empty({1, 63}),
                         at::empty({1, 63})};
    const Tensor mean = at::empty({21});
    const Tensor rstd = at::empty({21});
    const Tensor scratch = at::empty({cpu::scratch_floats(slab, /*backward=*/true)});
    const auto data = [](const Tensor& t) { return t.data_ptr<float>(); };
    kernels->float32.group_norm.forward(slab, data(in.x), data(in.scale), data(in.shift),
                                        data(actual.y), data(mean), data(rstd), data(scratch));
    const Tensor dy_then_y = in.dy.clone();
    kernels->float32.group_norm.backward(
        slab, data(dy_then_y), data(in.x), data(in.scale), data(in.shift), data(mean), data(rstd),
        /*add=*/nullptr, data(actual.dx), data(actual.dscale), data(actual.dshift), data(scratch));
    EXPECT_TENSOR_CLOSE(dy_then_y, expected.y);
    EXPECT_TENSOR_CLOSE(actual.y, expected.y);
    EXPECT_TENSOR_CLOSE(actual.dx, expected.dx);
    EXPECT_TENSOR_CLOSE(actual.dscale, expected.dscale);
    EXPECT_TENSOR_CLOSE(actual.dshift, expected.dshift);
  }
}

}  // namespace
}  // namespace halfstep
