#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/random.h"

namespace halfstep {
namespace {

std::vector<uint64_t> order_of(const Permutation& permutation) {
  std::vector<uint64_t> order(permutation.size());
  for (uint64_t i = 0; i < permutation.size(); ++i) order[i] = permutation(i);
  return order;
}

bool hits_everything_once(const Permutation& permutation) {
  std::vector<bool> hit(permutation.size());
  for (const uint64_t element : order_of(permutation)) {
    if (element >= hit.size() || hit[element]) return false;
    hit[element] = true;
  }
  return true;
}

TEST(Permutation, IsABijectionOfEverySizeToAThousand) {
  for (uint64_t size = 1; size <= 1000; ++size) {
    ASSERT_TRUE(hits_everything_once(Permutation(1, size, size))) << size;
  }
}

TEST(Permutation, IsABijectionOfLargeSizes) {
  for (const uint64_t size : {50'000, 60'000, 65'536, 65'537, 150'000}) {
    EXPECT_TRUE(hits_everything_once(Permutation(7, 0, size))) << size;
  }
}

TEST(Permutation, OrderNeverChanges) {
  constexpr uint64_t kSeed = 0x0123456789abcdef;
  EXPECT_EQ(order_of(Permutation(kSeed, 3, 10)),
            (std::vector<uint64_t>{8, 5, 3, 9, 6, 4, 0, 2, 7, 1}));
  const Permutation large(kSeed, 3, 50'000);
  EXPECT_EQ(large(0), 2802u);
  EXPECT_EQ(large(1), 42'553u);
  EXPECT_EQ(large(4), 14'582u);
}

TEST(Permutation, EpochsAndSeedsDiffer) {
  const auto order = order_of(Permutation(1, 0, 1000));
  EXPECT_NE(order, order_of(Permutation(1, 1, 1000)));
  EXPECT_NE(order, order_of(Permutation(2, 0, 1000)));
  EXPECT_EQ(order, order_of(Permutation(1, 0, 1000)));
}

// The expected number of fixed points of a random permutation is 1 for any size.
TEST(Permutation, HasAboutOneFixedPointPerEpoch) {
  double fixed = 0.0;
  for (uint64_t epoch = 0; epoch < 400; ++epoch) {
    const Permutation permutation(5, epoch, 1000);
    for (uint64_t i = 0; i < 1000; ++i) fixed += permutation(i) == i ? 1 : 0;
  }
  EXPECT_NEAR(fixed, 400.0, 4 * std::sqrt(400.0));
}

TEST(Permutation, EveryElementIsUniformlyDistributed) {
  constexpr uint64_t kSize = 10, kEpochs = 20'000;
  double counts[kSize][kSize] = {};
  for (uint64_t epoch = 0; epoch < kEpochs; ++epoch) {
    const Permutation permutation(11, epoch, kSize);
    for (uint64_t i = 0; i < kSize; ++i) counts[i][permutation(i)]++;
  }
  constexpr double kExpected = 1.0 * kEpochs / kSize;
  for (const auto& row : counts) {
    for (const double count : row) EXPECT_NEAR(count, kExpected, 5 * std::sqrt(kExpected));
  }
}

TEST(Permutation, AllOrdersOfThreeAreEquallyLikely) {
  std::map<std::vector<uint64_t>, double> counts;
  for (uint64_t epoch = 0; epoch < 6000; ++epoch) counts[order_of(Permutation(3, epoch, 3))]++;
  EXPECT_EQ(counts.size(), 6u);
  for (const auto& [order, count] : counts) EXPECT_NEAR(count, 1000.0, 5 * std::sqrt(1000.0));
}

TEST(Permutation, NeighboursAreMovedFarApart) {
  const Permutation permutation(1, 0, 50'000);
  double distance = 0.0;
  for (uint64_t i = 0; i + 1 < 50'000; ++i) {
    distance +=
        std::abs(static_cast<double>(permutation(i)) - static_cast<double>(permutation(i + 1)));
  }
  EXPECT_NEAR(distance / 50'000, 50'000 / 3.0, 500.0);
}

TEST(Permutation, WorksAtTheEndOf64Bits) {
  const Permutation permutation(1, 0, ~uint64_t{0});
  EXPECT_LT(permutation(0), ~uint64_t{0});
  EXPECT_NE(permutation(0), permutation(~uint64_t{0} - 1));
}

TEST(Permutation, RejectsElementsOutOfRange) {
  EXPECT_THROW(Permutation(1, 0, 10)(10), ConfigError);
  EXPECT_THROW(Permutation(1, 0, 0)(0), ConfigError);
}

}  // namespace
}  // namespace halfstep
