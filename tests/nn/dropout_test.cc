#include "halfstep/nn/dropout.h"

#include <gtest/gtest.h>

#include <cmath>

#include "tests/support/random_tensors.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

constexpr double kRate = 0.2;
const DropoutKey kKey{.seed = 3, .update = 5, .first_example = 0};

Tensor ones() { return at::ones({4, 16, 16, 16}); }
Tensor mask(const DropoutKey& key, uint32_t site = 1) {
  return keyed_dropout(ones(), kRate, key, site);
}

TEST(Dropout, ZeroesTheRateAndScalesTheRest) {
  const Tensor dropped = mask(kKey);
  const auto n = static_cast<double>(dropped.numel());
  const double zeros = dropped.eq(0.0).sum().item<double>() / n;
  EXPECT_NEAR(zeros, kRate, test::kSigmas * std::sqrt(kRate * (1.0 - kRate) / n));
  const Tensor kept = dropped.masked_select(dropped.ne(0.0));
  EXPECT_TRUE(at::equal(kept, at::full_like(kept, 1.0 / (1.0 - kRate))));
}

TEST(Dropout, MaskIsAFunctionOfSeedUpdateExampleAndSite) {
  EXPECT_TRUE(at::equal(mask(kKey), mask(kKey)));
  EXPECT_FALSE(at::equal(mask(kKey), mask({.seed = 4, .update = 5})));
  EXPECT_FALSE(at::equal(mask(kKey), mask({.seed = 3, .update = 6})));
  EXPECT_FALSE(at::equal(mask(kKey), mask(kKey, 2)));
  EXPECT_FALSE(at::equal(mask(kKey)[0], mask(kKey)[1]));
}

TEST(Dropout, ExamplesKeepTheirMasksHoweverTheBatchIsSplit) {
  const Tensor h = test::random_normal({4, 3, 5, 5}, 1, at::kFloat);
  const auto part = [&](int64_t first) {
    const DropoutKey key{.seed = 3, .update = 5, .first_example = static_cast<uint32_t>(first)};
    return keyed_dropout(h.narrow(0, first, 2), kRate, key, 1);
  };
  EXPECT_TRUE(at::equal(at::cat({part(0), part(2)}), keyed_dropout(h, kRate, kKey, 1)));
}

TEST(Dropout, MaskDoesNotDependOnMemoryLayoutAndTheLayoutStays) {
  const Tensor h = test::random_normal({2, 8, 4, 4}, 1, at::kFloat);
  const Tensor channels_last = h.contiguous(at::MemoryFormat::ChannelsLast);
  const Tensor dropped = keyed_dropout(channels_last, kRate, kKey, 1);
  EXPECT_TRUE(at::equal(dropped, keyed_dropout(h, kRate, kKey, 1)));
  EXPECT_TRUE(dropped.is_contiguous(at::MemoryFormat::ChannelsLast));
}

TEST(Dropout, Bf16HasTheSameMask) {
  const Tensor dropped = keyed_dropout(ones().to(at::kBFloat16), kRate, kKey, 1);
  EXPECT_EQ(dropped.scalar_type(), at::kBFloat16);
  EXPECT_TRUE(at::equal(dropped.ne(0.0), mask(kKey).ne(0.0)));
}

TEST(Dropout, GradientGoesThroughWhatWasKept) {
  Tensor h = ones().requires_grad_();
  keyed_dropout(h, kRate, kKey, 1).sum().backward();
  EXPECT_TRUE(at::equal(h.grad(), mask(kKey)));
}

TEST(Dropout, RateZeroChangesNothing) {
  const Tensor h = test::random_normal({2, 8, 4, 4}, 1, at::kFloat);
  EXPECT_TRUE(at::equal(keyed_dropout(h, 0.0, kKey, 1), h));
}

}  // namespace
}  // namespace halfstep
