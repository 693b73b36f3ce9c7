#include "halfstep/nn/kernels/concat.h"

#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include "halfstep/core/error.h"
#include "tests/support/random_tensors.h"

namespace halfstep {
namespace {

using test::random_normal;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

TEST(ConcatChannels, IsAtCatToTheBitWithItsGradients) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const auto& [left, right] : {std::pair{32, 64}, {1, 3}, {5, 1}}) {
      const Tensor a = random_normal({3, left, 9, 7}, 1).to(dtype).contiguous(kChannelsLast);
      const Tensor b = random_normal({3, right, 9, 7}, 2).to(dtype);  // any layout
      const Tensor dy = random_normal({3, left + right, 9, 7}, 3).to(dtype);
      const Tensor leaf_a = a.requires_grad_();
      const Tensor leaf_b = b.requires_grad_();
      const Tensor y = concat_channels(leaf_a, leaf_b);
      EXPECT_TRUE(at::equal(y, at::cat({a, b}, 1)));
      EXPECT_TRUE(y.is_contiguous(kChannelsLast));
      const auto gradients = torch::autograd::grad({y}, {leaf_a, leaf_b}, {dy});
      EXPECT_TRUE(at::equal(gradients[0], dy.narrow(1, 0, left)));
      EXPECT_TRUE(at::equal(gradients[1], dy.narrow(1, left, right)));
      EXPECT_TRUE(gradients[1].is_contiguous(kChannelsLast));
    }
  }
}

TEST(ConcatChannels, RefusesImagesOfOtherSizes) {
  EXPECT_THROW(concat_channels(at::zeros({2, 3, 4, 4}), at::zeros({2, 3, 4, 5})), ConfigError);
}

}  // namespace
}  // namespace halfstep
