#include "halfstep/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <thread>
#include <vector>

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

constexpr RandomKey kKey{0x0123456789abcdef, Purpose::noise, 42, 7, 0xb1e79747};

// Returns variants of a key: each field changed by one, and the 64-bit fields also in their upper
// half.
std::vector<RandomKey> neighbours_of(const RandomKey& key) {
  std::vector<RandomKey> keys(7, key);
  keys[0].seed += 1;
  keys[1].seed += uint64_t{1} << 32;
  keys[2].purpose = Purpose::time;
  keys[3].index += 1;
  keys[4].index += uint64_t{1} << 32;
  keys[5].example += 1;
  keys[6].site += 1;
  return keys;
}

std::vector<float> normals(const RandomKey& key, size_t count, uint64_t first = 0) {
  std::vector<float> values(count);
  fill_normal(key, values, first);
  return values;
}

std::vector<float> uniforms(const RandomKey& key, size_t count, uint64_t first = 0) {
  std::vector<float> values(count);
  fill_uniform(key, values, first);
  return values;
}

std::vector<uint32_t> bits_of(const std::vector<float>& values) {
  std::vector<uint32_t> bits(values.size());
  std::ranges::transform(values, bits.begin(),
                         [](float value) { return std::bit_cast<uint32_t>(value); });
  return bits;
}

// Runs are reproducible across versions because these numbers never change. If this test fails, fix
// the code and not the numbers.
TEST(Random, FirstValuesNeverChange) {
  EXPECT_EQ(bits_of(normals(kKey, 6)), (std::vector<uint32_t>{0x3e0d939c, 0x3eac89e2, 0x3fb745b4,
                                                              0x4002ac6d, 0x3f1b5b5f, 0xbe4217c3}));
  EXPECT_EQ(bits_of(uniforms(kKey, 6)),
            (std::vector<uint32_t>{0x3f6f9180, 0x3e408c70, 0x3d36c860, 0x3e1c5450, 0x3f512786,
                                   0x3f73aa60}));
  std::vector<double> doubles(3);
  fill_uniform(kKey, doubles);
  EXPECT_EQ(std::bit_cast<uint64_t>(doubles[0]), 0x3fc8118e5bf7c8c4u);
  EXPECT_EQ(std::bit_cast<uint64_t>(doubles[1]), 0x3fc38a8a7285b644u);
  EXPECT_EQ(std::bit_cast<uint64_t>(doubles[2]), 0x3fee754c0c1a24f1u);
  EXPECT_EQ(uniform_int(kKey, 1000), 188u);
  EXPECT_EQ(uniform_int(kKey, uint64_t{1} << 40), 206747514863u);
}

TEST(Random, TruncatedValuesNeverChange) {
  std::vector<float> values(50);
  fill_truncated_normal(kKey, values);
  EXPECT_EQ(std::bit_cast<uint32_t>(values[0]), 0x3e0d939cu);
  EXPECT_EQ(std::bit_cast<uint32_t>(values[3]), 0x3ea181d5u);   // second attempt
  EXPECT_EQ(std::bit_cast<uint32_t>(values[32]), 0xbf2957b0u);  // second attempt
}

TEST(Random, PurposesKeepTheirNumbers) {
  EXPECT_EQ(static_cast<uint32_t>(Purpose::data_order), 1u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::flip), 2u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::time), 3u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::noise), 4u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::dropout), 5u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::label_dropout), 6u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::posterior_noise), 11u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::sample_noise), 7u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::sample_label), 8u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::initial_weights), 9u);
  EXPECT_EQ(static_cast<uint32_t>(Purpose::step_noise), 10u);
}

TEST(Random, SiteIsFnv1a) {
  EXPECT_EQ(site_of(""), 0x811c9dc5u);
  EXPECT_EQ(site_of("a"), 0xe40c292cu);
  EXPECT_EQ(site_of("foobar"), 0xbf9cf968u);
  EXPECT_EQ(site_of("conv_in.weight"), kKey.site);
}

TEST(Random, AnyPartOfASequenceCanBeComputedAlone) {
  const std::vector<float> all = normals(kKey, 2000), all_uniform = uniforms(kKey, 2000);
  for (const size_t first : {0, 1, 2, 3, 4, 5, 255, 256, 257, 1001}) {
    for (const size_t count : {0, 1, 2, 3, 7, 255, 256, 300, 700}) {
      const auto begin = all.begin() + static_cast<ptrdiff_t>(first);
      const auto begin_uniform = all_uniform.begin() + static_cast<ptrdiff_t>(first);
      const auto length = static_cast<ptrdiff_t>(count);
      EXPECT_EQ(normals(kKey, count, first), std::vector<float>(begin, begin + length));
      EXPECT_EQ(uniforms(kKey, count, first),
                std::vector<float>(begin_uniform, begin_uniform + length));
    }
  }
}

TEST(Random, SequencesHaveTwoToThe34Elements) {
  constexpr uint64_t kLength = uint64_t{1} << 34;
  EXPECT_EQ(normals(kKey, 3, kLength - 3).size(), 3u);
  EXPECT_THROW(normals(kKey, 4, kLength - 3), ConfigError);
  EXPECT_THROW(uniforms(kKey, 1, kLength), ConfigError);
  EXPECT_THROW(uniforms(kKey, 1, ~uint64_t{0}), ConfigError);
}

TEST(Random, ThreadsDrawTheSameNumbers) {
  const std::vector<float> alone = normals(kKey, 40'000);
  std::vector<float> together(40'000);
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 4; ++i) {
    threads.emplace_back(
        [&, i] { fill_normal(kKey, std::span(together).subspan(i * 10'000, 10'000), i * 10'000); });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(together, alone);
}

TEST(Random, EveryFieldOfTheKeyMatters) {
  std::set<std::vector<float>> seen = {normals(kKey, 8)};
  for (const RandomKey& key : neighbours_of(kKey)) seen.insert(normals(key, 8));
  EXPECT_EQ(seen.size(), 8u);
}

TEST(Random, NeighbouringKeysAreUncorrelated) {
  constexpr size_t kCount = 100'000;
  const std::vector<float> here = normals(kKey, kCount);
  for (const RandomKey& key : neighbours_of(kKey)) {
    const std::vector<float> there = normals(key, kCount);
    for (size_t lag = 0; lag < 5; ++lag) {
      double sum = 0.0, squares = 0.0;
      for (size_t i = lag; i < kCount; ++i) {
        sum += double{here[i]} * there[i - lag];
        squares += double{here[i]} * here[i] * there[i - lag] * there[i - lag];
      }
      EXPECT_LT(std::abs(sum), 4.5 * std::sqrt(squares)) << "lag " << lag;
    }
  }
}

TEST(Random, UniformFloatsAreMultiplesOfTwoToTheMinus24BelowOne) {
  double sum = 0.0, squares = 0.0;
  for (const float value : uniforms(kKey, 1'000'000)) {
    ASSERT_GE(value, 0.0f);
    ASSERT_LT(value, 1.0f);
    ASSERT_EQ(value * 0x1p24f, std::floor(value * 0x1p24f));
    sum += value;
    squares += double{value} * value;
  }
  EXPECT_NEAR(sum / 1e6, 0.5, 4 * std::sqrt(1 / 12e6));
  EXPECT_NEAR(squares / 1e6, 1.0 / 3, 4 * std::sqrt(4 / 45e6));
}

TEST(Random, UniformFloatsFillEveryBinEvenly) {
  constexpr int kBins = 256;
  std::array<double, kBins> counts = {};
  for (const float value : uniforms(kKey, 1'000'000)) counts[static_cast<size_t>(value * kBins)]++;
  double chi2 = 0.0;
  for (const double count : counts) {
    chi2 += (count - 1e6 / kBins) * (count - 1e6 / kBins) / (1e6 / kBins);
  }
  EXPECT_NEAR(chi2, kBins - 1, 4 * std::sqrt(2.0 * (kBins - 1)));
}

TEST(Random, UniformDoublesAreInsideTheOpenInterval) {
  std::vector<double> values(200'000);
  fill_uniform(kKey, values);
  double sum = 0.0;
  for (const double value : values) {
    ASSERT_GT(value, 0.0);
    ASSERT_LT(value, 1.0);
    sum += value;
  }
  EXPECT_NEAR(sum / 2e5, 0.5, 4 * std::sqrt(1 / 24e5));
}

TEST(Random, UniformIsTheFirstElementOfFillUniform) {
  std::vector<double> values(4);
  fill_uniform(kKey, values);
  EXPECT_EQ(uniform(kKey), values[0]);
  EXPECT_EQ(std::set<double>(values.begin(), values.end()).size(), 4u);
}

TEST(Random, IntegersAreBelowTheirBoundAndUniform) {
  std::array<double, 7> counts = {};
  RandomKey key = kKey;
  for (key.index = 0; key.index < 70'000; ++key.index) counts.at(uniform_int(key, 7))++;
  for (const double count : counts) EXPECT_NEAR(count, 10'000, 4 * std::sqrt(10'000 * 6.0 / 7));
  EXPECT_EQ(uniform_int(kKey, 1), 0u);
  EXPECT_LT(uniform_int(kKey, ~uint64_t{0}), ~uint64_t{0});
}

TEST(Random, IntegerBelowZeroIsAnError) { EXPECT_THROW(uniform_int(kKey, 0), ConfigError); }

}  // namespace
}  // namespace halfstep
