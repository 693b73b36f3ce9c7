#include "halfstep/nn/kernels/resample.h"

#include <ATen/Parallel.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <tuple>

#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using test::random_normal;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

struct Results {
  Tensor y, dx;
};

Results run(Tensor (*resample)(const Tensor&, Resample), const Tensor& x, const Tensor& dy,
            Resample how) {
  const Tensor leaf = x.detach().requires_grad_();
  const Tensor y = resample(leaf, how);
  return {y.detach(), torch::autograd::grad({y}, {leaf}, {dy})[0]};
}

class ResampleOf : public testing::TestWithParam<std::tuple<int64_t, at::ScalarType, Resample>> {};

TEST_P(ResampleOf, IsThePlainFormInFloat64WithItsGradient) {
  const auto& [channels, dtype, how] = GetParam();
  const Tensor x = random_normal({3, channels, 6, 10}, 1).to(dtype).contiguous(kChannelsLast);
  const Tensor dy = random_normal(resample_plain(x, how).sizes(), 2).to(dtype);
  const Results expected = run(resample_plain, x.to(at::kDouble), dy.to(at::kDouble), how);
  for (const Tensor& input : {x, x.contiguous(), at::cat({x, x}, 1).narrow(1, 0, channels)}) {
    const Results actual = run(resample, input, dy, how);
    EXPECT_EQ(actual.y.scalar_type(), dtype);
    EXPECT_TENSOR_CLOSE(actual.y, expected.y);
    EXPECT_TENSOR_CLOSE(actual.dx, expected.dx);
  }
}

INSTANTIATE_TEST_SUITE_P(Kinds, ResampleOf,
                         testing::Combine(testing::Values(1, 3, 32, 70),
                                          testing::Values(at::kFloat, at::kBFloat16),
                                          testing::Values(Resample::down, Resample::up)));

TEST(Resample, DownUndoesUp) {
  const Tensor x = random_normal({2, 32, 5, 7}, 1, at::kFloat).contiguous(kChannelsLast);
  EXPECT_TRUE(at::equal(resample(resample(x, Resample::up), Resample::down), x));
  EXPECT_TRUE(resample(x, Resample::none).is_same(x));
}

TEST(Resample, OddSizesLoseTheirLastRowAsInThePlainForm) {
  const Tensor x = random_normal({2, 32, 5, 7}, 1, at::kFloat).contiguous(kChannelsLast);
  EXPECT_TENSOR_CLOSE(resample(x, Resample::down), resample_plain(x, Resample::down));
}

}  // namespace
}  // namespace halfstep
