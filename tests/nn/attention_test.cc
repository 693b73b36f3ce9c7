#include "halfstep/nn/kernels/attention.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <limits>
#include <tuple>
#include <vector>

#include "halfstep/core/error.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::random_normal;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

struct Results {
  Tensor out, dqkv;
};

template <class Attention>
Results run(Attention attend, const Tensor& qkv, const Tensor& dout, int64_t heads) {
  const Tensor leaf = qkv.detach().requires_grad_();
  const Tensor out = attend(leaf, heads);
  return {out.detach(), torch::autograd::grad({out}, {leaf}, {dout})[0]};
}

// Expects the values of the plain form in float64 on the same numbers, within the tolerance.
void expect_as_defined(const Tensor& qkv, const Tensor& dout, int64_t heads) {
  const Results expected = run(attention_plain, qkv.to(at::kDouble), dout.to(at::kDouble), heads);
  const Results actual = run(attention, qkv, dout, heads);
  ASSERT_EQ(actual.out.scalar_type(), qkv.scalar_type());
  ASSERT_EQ(actual.dqkv.scalar_type(), qkv.scalar_type());
  EXPECT_TENSOR_CLOSE(actual.out, expected.out);
  EXPECT_TENSOR_CLOSE(actual.dqkv, expected.dqkv);
  // The same kernel runs without a graph, so the bits are the same.
  const at::NoGradGuard no_grad;
  EXPECT_TRUE(at::equal(attention(qkv, heads), actual.out));
}

struct Inputs {
  Tensor qkv, dout;
};

Inputs make_inputs(int64_t batch, int64_t channels, int64_t height, int64_t width,
                   at::ScalarType dtype) {
  const auto make = [&](int64_t depth, uint64_t seed) {
    return random_normal({batch, depth, height, width}, seed).to(dtype).contiguous(kChannelsLast);
  };
  return {make(3 * channels, 1), make(channels, 2)};
}

struct Shape {
  int64_t batch, channels, height, width, heads;
};

class AttentionOf : public testing::TestWithParam<std::tuple<Shape, at::ScalarType>> {};

TEST_P(AttentionOf, IsThePlainFormInFloat64WithItsGradient) {
  const auto& [shape, dtype] = GetParam();
  const Inputs in = make_inputs(shape.batch, shape.channels, shape.height, shape.width, dtype);
  expect_as_defined(in.qkv, in.dout, shape.heads);
}

// Whole and partial blocks, vectors and pairs of positions; heads of 2 channels up to more than a
// panel; few heads, which are cut into rows, and many.
INSTANTIATE_TEST_SUITE_P(
    Shapes, AttentionOf,
    testing::Combine(testing::Values(Shape{2, 128, 16, 16, 2}, Shape{2, 64, 7, 7, 1},
                                     Shape{1, 256, 8, 8, 1}, Shape{17, 32, 4, 4, 2},
                                     Shape{1, 32, 1, 1, 1}, Shape{3, 96, 5, 9, 3},
                                     Shape{1, 80, 11, 13, 1}, Shape{2, 12, 10, 10, 6},
                                     Shape{2, 21, 3, 5, 3}),
                     testing::Values(at::kFloat, at::kBFloat16)));

TEST(Attention, ScoresMayBeLarge) {
  Inputs in = make_inputs(2, 64, 8, 8, at::kFloat);
  in.qkv.narrow(1, 0, 128).mul_(10.0);
  const Results expected = run(attention_plain, in.qkv.to(at::kDouble), in.dout.to(at::kDouble), 1);
  const Results actual = run(attention, in.qkv, in.dout, 1);
  // Scores are up to 500, which float32 rounds by 500 * 6e-8; so are their exponentials.
  constexpr double kTolerance = 1e-4;
  EXPECT_TENSOR_NEAR(actual.out, expected.out, kTolerance * test::scale_of(expected.out));
  EXPECT_TENSOR_NEAR(actual.dqkv, expected.dqkv, kTolerance * test::scale_of(expected.dqkv));
}

TEST(Attention, ScoresMayAllBeFarBelowZero) {
  Inputs in = make_inputs(2, 64, 7, 7, at::kFloat);
  in.qkv.narrow(1, 0, 64).fill_(-30.0);
  in.qkv.narrow(1, 64, 64).fill_(30.0);
  const Tensor mean = in.qkv.narrow(1, 128, 64).mean(at::IntArrayRef{2, 3}, /*keepdim=*/true);
  EXPECT_TENSOR_CLOSE(attention(in.qkv, 1), mean.expand({2, 64, 7, 7}));
}

TEST(Attention, NotANumberStaysNotANumber) {
  Inputs in = make_inputs(2, 64, 6, 6, at::kFloat);
  in.qkv[0][5][2][2] = std::numeric_limits<float>::quiet_NaN();
  const Tensor out = attention(in.qkv, 1);
  EXPECT_TRUE(at::isnan(out.permute({0, 2, 3, 1})[0][2][2]).all().item<bool>());
  EXPECT_FALSE(at::isnan(out[1]).any().item<bool>());
}

TEST(Attention, TakesAnyMemoryLayout) {
  const Inputs in = make_inputs(2, 64, 6, 5, at::kFloat);
  expect_as_defined(in.qkv.contiguous(), in.dout.contiguous(), 2);
  const Tensor wide = at::cat({in.qkv, in.qkv}, 1).contiguous(kChannelsLast);
  expect_as_defined(wide.narrow(1, 64, 192), in.dout, 2);
}

TEST(Attention, BitsDoNotDependOnTheNumberOfThreads) {
  const int before = at::get_num_threads();
  for (const int64_t batch : {1, 20}) {
    const Inputs in = make_inputs(batch, 64, 14, 14, at::kFloat);
    at::set_num_threads(1);
    const Results one = run(attention, in.qkv, in.dout, 2);
    for (const int threads : {2, 5}) {
      at::set_num_threads(threads);
      const Results some = run(attention, in.qkv, in.dout, 2);
      EXPECT_TRUE(at::equal(some.out, one.out));
      EXPECT_TRUE(at::equal(some.dqkv, one.dqkv));
    }
  }
  at::set_num_threads(before);
}

TEST(Attention, RejectsOtherShapes) {
  EXPECT_THROW(attention(at::zeros({2, 12, 4}), 1), ConfigError);
  EXPECT_THROW(attention(at::zeros({2, 12, 4, 4}), 3), c10::Error);
}

}  // namespace
}  // namespace halfstep
