#include "halfstep/train/loss_spikes.h"

#include <gtest/gtest.h>

#include "halfstep/core/random.h"

namespace halfstep {
namespace {

// Draws losses of 0.12 with a standard deviation of 0.01, similar to those of a teacher.
double usual(uint64_t update) {
  const double u = uniform({.seed = 1, .purpose = Purpose::noise, .index = update});
  return 0.12 + 0.01 * 3.46 * (u - 0.5);
}

LossSpikes after(uint64_t updates) {
  LossSpikes spikes;
  for (uint64_t update = 0; update < updates; ++update)
    EXPECT_FALSE(spikes.is_spike(usual(update)));
  return spikes;
}

TEST(LossSpikes, OrdinaryLossesAreNotSpikes) { after(5000); }

TEST(LossSpikes, FallingLossesAreNotSpikes) {
  LossSpikes spikes;
  for (double loss = 1.0; loss > 1e-5; loss *= 0.99) EXPECT_FALSE(spikes.is_spike(loss));
}

TEST(LossSpikes, NeedTwiceTheMedianAndTenDeviations) {
  EXPECT_TRUE(after(500).is_spike(0.25));
  EXPECT_FALSE(after(500).is_spike(0.20));  // many deviations, not twice the median
  LossSpikes wide;
  for (int i = 0; i < 100; ++i) wide.is_spike(i % 2 == 0 ? 1.0 : 3.0);
  EXPECT_FALSE(wide.is_spike(15.0));  // median 3, median deviation 2
  EXPECT_TRUE(wide.is_spike(33.0));
}

TEST(LossSpikes, SpikesDoNotHideTheNext) {
  LossSpikes spikes = after(500);
  for (int i = 0; i < 40; ++i) EXPECT_TRUE(spikes.is_spike(5.0)) << i;
  // A loss that stays high is no longer a spike.
  for (int i = 0; i < 60; ++i) spikes.is_spike(5.0);
  EXPECT_FALSE(spikes.is_spike(5.0));
}

TEST(LossSpikes, TheFirstLossesAreNotSpikes) {
  LossSpikes spikes = after(LossSpikes::kLeast - 1);
  EXPECT_FALSE(spikes.is_spike(100.0));
}

TEST(LossSpikes, RecentLossesAreTheWholeState) {
  LossSpikes one = after(130);
  EXPECT_EQ(one.recent.size(), LossSpikes::kWindow);
  EXPECT_EQ(one.recent.back(), usual(129));
  LossSpikes other;
  EXPECT_EQ(other.median(), 0.0);
  other.recent = one.recent;
  for (const double loss : {0.13, 0.26, 0.11, 3.0})
    EXPECT_EQ(one.is_spike(loss), other.is_spike(loss));
  EXPECT_EQ(one.recent, other.recent);
}

}  // namespace
}  // namespace halfstep
