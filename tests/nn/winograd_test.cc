#include "halfstep/nn/kernels/winograd.h"

#include <ATen/Functions.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include <tuple>
#include <vector>

#include "halfstep/core/instruction_set.h"
#include "halfstep/nn/kernels/cpu.h"
#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::random_normal;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

struct Shape {
  int64_t batch, in, out, height, width;
};

struct Inputs {
  explicit Inputs(const Shape& shape)
      : x(images(shape, shape.in, 1)),
        dy(images(shape, shape.out, 2)),
        kernel(random_normal({shape.out, shape.in, 3, 3}, 3, at::kFloat)),
        bias(random_normal({shape.out}, 4, at::kFloat)) {}

  static Tensor images(const Shape& shape, int64_t channels, uint64_t seed) {
    return random_normal({shape.batch, channels, shape.height, shape.width}, seed, at::kFloat)
        .contiguous(kChannelsLast);
  }

  Tensor x, dy, kernel, bias;
};

struct Results {
  Tensor y, dx, dkernel;
};

Results run(const Inputs& in) {
  return {winograd(in.x, winograd_kernel(in.kernel), in.bias),
          winograd_input_gradient(in.dy, in.kernel), winograd_kernel_gradient(in.dy, in.x)};
}

// The reference in float64.
Results convolution(const Inputs& in) {
  const auto wide = [](const Tensor& tensor) { return tensor.to(at::kDouble); };
  const auto [dx, dkernel, dbias] = at::convolution_backward(
      wide(in.dy), wide(in.x), wide(in.kernel), at::IntArrayRef{in.bias.size(0)}, {1, 1}, {1, 1},
      {1, 1}, /*transposed=*/false, {0, 0}, /*groups=*/1, {true, true, false});
  return {at::conv2d(wide(in.x), wide(in.kernel), wide(in.bias), /*stride=*/1, /*padding=*/1), dx,
          dkernel};
}

class WinogradOf : public testing::TestWithParam<Shape> {};

TEST_P(WinogradOf, IsTheConvolutionInFloat64WithItsGradients) {
  const Inputs in(GetParam());
  const Results expected = convolution(in);
  const Results actual = run(in);
  EXPECT_TENSOR_CLOSE(actual.y, expected.y);
  EXPECT_TENSOR_CLOSE(actual.dx, expected.dx);
  EXPECT_TENSOR_CLOSE(actual.dkernel, expected.dkernel);
  EXPECT_TRUE(actual.y.is_contiguous(kChannelsLast));
  EXPECT_TRUE(actual.dx.is_contiguous(kChannelsLast));
}

// Whole and partial tiles, blocks of tiles and panels of channels; images of one pixel.
INSTANTIATE_TEST_SUITE_P(Shapes, WinogradOf,
                         testing::Values(Shape{2, 32, 32, 28, 28}, Shape{3, 64, 32, 7, 7},
                                         Shape{5, 16, 48, 5, 9}, Shape{2, 96, 160, 8, 8},
                                         Shape{1, 80, 16, 1, 6}, Shape{7, 16, 16, 1, 1},
                                         Shape{1, 256, 112, 4, 3}, Shape{33, 32, 64, 2, 2}));

// Small integers stay exact in float32: A, B and G contain only zeros, ones and halves.
TEST(Winograd, OfSmallWholeNumbersIsExact) {
  const Inputs real({2, 32, 48, 7, 6});
  Inputs in = real;
  for (Tensor* tensor : {&in.x, &in.dy, &in.kernel, &in.bias}) *tensor = (*tensor * 4.0).round();
  const Results expected = convolution(in);
  const Results actual = run(in);
  EXPECT_TRUE(at::equal(actual.y.to(at::kDouble), expected.y));
  EXPECT_TRUE(at::equal(actual.dx.to(at::kDouble), expected.dx));
  EXPECT_TRUE(at::equal(actual.dkernel.to(at::kDouble), expected.dkernel));
}

TEST(Winograd, ErrorIsNoMoreThanTwiceThatOfTheSum) {
  const Inputs in({4, 128, 128, 16, 16});
  const auto error = [](const Tensor& actual, const Tensor& expected) {
    return (actual.to(at::kDouble) - expected).norm().item<double>();
  };
  const Results expected = convolution(in);
  const Results actual = run(in);
  const Tensor direct = at::conv2d(in.x, in.kernel, in.bias, /*stride=*/1, /*padding=*/1);
  EXPECT_LT(error(actual.y, expected.y), 2.0 * error(direct, expected.y));
}

TEST(Winograd, TakesAnyMemoryLayout) {
  const Inputs in({2, 32, 16, 6, 5});
  Inputs other = in;
  other.x = in.x.contiguous();
  other.dy = in.dy.contiguous();
  other.kernel = in.kernel.contiguous(kChannelsLast);
  const Results expected = run(in);
  const Results actual = run(other);
  EXPECT_TRUE(at::equal(actual.y, expected.y));
  EXPECT_TRUE(at::equal(actual.dx, expected.dx));
  EXPECT_TRUE(at::equal(actual.dkernel, expected.dkernel));
}

TEST(Winograd, BitsOfImagesDependNeitherOnTheBatchNorOnTheThreads) {
  const int before = at::get_num_threads();
  const Inputs in({9, 32, 48, 7, 7});
  at::set_num_threads(1);
  const Results one = run(in);
  for (const int threads : {2, 5}) {
    at::set_num_threads(threads);
    const Results some = run(in);
    EXPECT_TRUE(at::equal(some.y, one.y));
    EXPECT_TRUE(at::equal(some.dx, one.dx));
    EXPECT_TENSOR_CLOSE(some.dkernel, one.dkernel);
    EXPECT_TRUE(at::equal(run(in).dkernel, some.dkernel));
  }
  at::set_num_threads(before);
  Inputs last = in;
  last.x = in.x.narrow(0, 8, 1);
  last.dy = in.dy.narrow(0, 8, 1);
  EXPECT_TRUE(at::equal(run(last).y, one.y.narrow(0, 8, 1)));
  EXPECT_TRUE(at::equal(run(last).dx, one.dx.narrow(0, 8, 1)));
}

// Compares all instruction sets that this machine has and the environment allows.
TEST(Winograd, InstructionSetsAgree) {
  const Inputs in({3, 48, 80, 5, 6});
  const Results expected = convolution(in);
  std::vector<const cpu::Kernels*> all = {&cpu::kBaseline};
#if defined(__x86_64__)
  if (instruction_set() >= InstructionSet::avx2) all.push_back(&cpu::kAvx2);
  if (instruction_set() >= InstructionSet::avx512) all.push_back(&cpu::kAvx512);
#endif
  const cpu::WinogradShape shape{.height = 5, .width = 6, .in = 48, .out = 80};
  const auto data = [](const Tensor& t) { return t.data_ptr<float>(); };
  for (const cpu::Kernels* kernels : all) {
    const cpu::WinogradLoops& loops = kernels->winograd;
    const Tensor g = in.kernel.permute({2, 3, 1, 0}).contiguous();
    const Tensor u = at::empty({16, 48, 80}, at::kInt);
    auto* const words = static_cast<uint32_t*>(u.data_ptr());
    const Tensor scratch = at::empty({loops.scratch_floats(shape)});
    const Tensor y = at::empty_like(in.dy);
    const Tensor du = at::zeros({16, 48, 80});
    const Tensor dg = at::empty({3, 3, 48, 80});
    loops.kernel(48, 80, data(g), words);
    loops.forward(shape, 0, 3 * tiles(shape), data(in.x), words, data(in.bias), data(y),
                  data(scratch));
    loops.add_products(shape, 0, 3 * tiles(shape), data(in.x), data(in.dy), data(du),
                       data(scratch));
    loops.kernel_gradient(48, 80, data(du), data(dg));
    EXPECT_TENSOR_CLOSE(y, expected.y);
    EXPECT_TENSOR_CLOSE(dg.permute({3, 2, 0, 1}), expected.dkernel);
  }
}

}  // namespace
}  // namespace halfstep
