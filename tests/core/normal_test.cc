// Accuracy of the normal transform and distribution of its results.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include "halfstep/core/philox.h"
#include "halfstep/core/random.h"

namespace halfstep {
namespace {

constexpr RandomKey kKey{2022, Purpose::noise, 1};
constexpr size_t kCount = 1'000'000;

const std::vector<float>& million() {
  static const std::vector<float> values = [] {
    std::vector<float> made(kCount);
    fill_normal(kKey, made);
    return made;
  }();
  return values;
}

double mean_of_power(const std::vector<float>& values, int power) {
  double sum = 0.0;
  for (const float value : values) sum += std::pow(double{value}, power);
  return sum / static_cast<double>(values.size());
}

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

// Returns the largest distance between the empirical distribution and `cdf`, times sqrt(n).
template <class Cdf>
double kolmogorov_smirnov(std::vector<float> values, const Cdf& cdf) {
  std::ranges::sort(values);
  const auto n = static_cast<double>(values.size());
  double distance = 0.0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double p = cdf(values[i]);
    distance =
        std::max({distance, p - static_cast<double>(i) / n, static_cast<double>(i + 1) / n - p});
  }
  return distance * std::sqrt(n);
}

constexpr double kSmirnov = 1.63;  // exceeded with probability 1%

// Returns the largest error of normal_pair, relative to the value and in units of 2^-24. Computed
// in long double: near a quarter turn, the error of an angle in double is as large as that of
// normal_pair.
double error_of(uint32_t radius_word, uint32_t angle_word) {
  const long double u = static_cast<float>(radius_word + 0.5) * 0x1p-32L;
  const long double angle = 2.0L * std::numbers::pi_v<long double> * 0x1p-32L * angle_word;
  const long double radius = std::sqrt(-2.0L * std::log(u));
  const NormalPair pair = normal_pair(radius_word, angle_word);
  const auto relative = [](long double value, long double expected) {
    // normal_pair returns exactly 0 where the standard library's cosine of pi/2 is not quite 0.
    if (std::abs(expected) < 1e-14L) return static_cast<double>(std::abs(value) / 1e-14L);
    return static_cast<double>(std::abs(value - expected) / std::abs(expected) * 0x1p24L);
  };
  return std::max(relative(pair.first, radius * std::cos(angle)),
                  relative(pair.second, radius * std::sin(angle)));
}

TEST(NormalPair, IsWithinFiveRoundingsOfTheFormula) {
  double worst = 0.0;
  for (uint32_t i = 0; i < 200'000; ++i) {
    const auto words = philox4x32({i, 0, 0, 0}, {3, 4});
    worst = std::max({worst, error_of(words[0], words[1]), error_of(words[2], words[3])});
  }
  EXPECT_LT(worst, 5.0);
  RecordProperty("worst", std::to_string(worst));
}

TEST(NormalPair, IsExactAtBoundaries) {
  const std::vector<uint32_t> radii = {0,          1,          2,          0x00ffffff, 0x7fffffff,
                                       0x80000000, 0xb504f333, 0xb504f334, 0xfffffe00, 0xfffffeff};
  std::vector<uint32_t> angles;
  for (uint32_t eighth = 0; eighth < 8; ++eighth) {
    for (const uint32_t near : {0u, 1u, 0xffffffffu}) angles.push_back((eighth << 29) + near);
  }
  for (const uint32_t radius : radii) {
    for (const uint32_t angle : angles) {
      EXPECT_LT(error_of(radius, angle), 5.0) << radius << ' ' << angle;
    }
  }
}

TEST(NormalPair, IsFiniteForEveryExtremeWord) {
  for (const uint32_t angle : {0u, 1u, 0x40000000u, 0x80000000u, 0xc0000000u, 0xffffffffu}) {
    EXPECT_EQ(normal_pair(0xffffffff, angle).first, 0.0f);  // u rounds to 1
    EXPECT_LT(std::abs(normal_pair(0, angle).first), 6.8f);
  }
  EXPECT_NEAR(normal_pair(0, 0).first, std::sqrt(2 * 33 * std::numbers::ln2), 1e-6);
}

TEST(NormalPair, QuarterTurnsAreExact) {
  const float radius = normal_pair(1000, 0).first;
  EXPECT_GT(radius, 0.0f);
  EXPECT_EQ(normal_pair(1000, 0).second, 0.0f);
  EXPECT_EQ(normal_pair(1000, 0x40000000).second, radius);
  EXPECT_EQ(normal_pair(1000, 0x40000000).first, 0.0f);
  EXPECT_EQ(normal_pair(1000, 0x80000000).first, -radius);
  EXPECT_EQ(normal_pair(1000, 0xc0000000).second, -radius);
}

// The estimate of the k-th moment has standard deviation sqrt(Var x^k / n).
TEST(Normal, MomentsAreThoseOfAStandardNormal) {
  const auto n = static_cast<double>(kCount);
  EXPECT_NEAR(mean_of_power(million(), 1), 0.0, 4 * std::sqrt(1 / n));
  EXPECT_NEAR(mean_of_power(million(), 2), 1.0, 4 * std::sqrt(2 / n));
  EXPECT_NEAR(mean_of_power(million(), 3), 0.0, 4 * std::sqrt(15 / n));
  EXPECT_NEAR(mean_of_power(million(), 4), 3.0, 4 * std::sqrt(96 / n));
  EXPECT_NEAR(mean_of_power(million(), 6), 15.0, 4 * std::sqrt(10170 / n));
}

TEST(Normal, TailsHaveTheRightProbability) {
  for (const double bound : {1.0, 2.0, 3.0, 4.0}) {
    const double expected = kCount * (1.0 - normal_cdf(bound));
    const auto above = std::ranges::count_if(million(), [&](float x) { return x > bound; });
    const auto below = std::ranges::count_if(million(), [&](float x) { return x < -bound; });
    EXPECT_NEAR(static_cast<double>(above), expected, 4 * std::sqrt(expected)) << bound;
    EXPECT_NEAR(static_cast<double>(below), expected, 4 * std::sqrt(expected)) << bound;
  }
}

TEST(Normal, DistributionIsNormal) {
  EXPECT_LT(kolmogorov_smirnov({million().begin(), million().begin() + 200'000}, normal_cdf),
            kSmirnov);
}

TEST(Normal, ElementsAndTheirSquaresAreUncorrelated) {
  for (const size_t lag : {1, 2, 3, 4, 256}) {
    double sum = 0.0, squares = 0.0;
    for (size_t i = lag; i < kCount; ++i) {
      const double here = million()[i], there = million()[i - lag];
      sum += here * there;
      squares += (here * here - 1) * (there * there - 1);
    }
    EXPECT_LT(std::abs(sum), 4 * std::sqrt(1.0 * kCount)) << lag;
    EXPECT_LT(std::abs(squares), 4 * 2 * std::sqrt(1.0 * kCount)) << lag;
  }
}

TEST(TruncatedNormal, IsWithinTwoAndKeepsElementsInside) {
  std::vector<float> values(kCount);
  fill_truncated_normal(kKey, values);
  size_t redrawn = 0;
  for (size_t i = 0; i < kCount; ++i) {
    ASSERT_LE(std::abs(values[i]), 2.0f);
    if (std::abs(million()[i]) <= 2.0f) {
      ASSERT_EQ(values[i], million()[i]);
    } else {
      ++redrawn;
    }
  }
  const double expected = kCount * 2 * normal_cdf(-2.0);
  EXPECT_NEAR(static_cast<double>(redrawn), expected, 4 * std::sqrt(expected));
}

TEST(TruncatedNormal, DistributionIsConditional) {
  std::vector<float> values(200'000);
  fill_truncated_normal(kKey, values);
  const double inside = normal_cdf(2.0) - normal_cdf(-2.0);
  EXPECT_LT(kolmogorov_smirnov(
                values, [&](double x) { return (normal_cdf(x) - normal_cdf(-2.0)) / inside; }),
            kSmirnov);
  EXPECT_NEAR(std::sqrt(mean_of_power(values, 2)), 0.87962566, 4e-3);
}

TEST(TruncatedNormal, ElementsDoNotDependOnTheirNumber) {
  std::vector<float> few(777), many(5000);
  fill_truncated_normal(kKey, few);
  fill_truncated_normal(kKey, many);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), many.begin()));
}

}  // namespace
}  // namespace halfstep
