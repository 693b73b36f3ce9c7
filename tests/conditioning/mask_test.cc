#include "halfstep/conditioning/mask.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "halfstep/core/error.h"

namespace halfstep {
namespace {

std::vector<uint8_t> mask_of(uint64_t seed, int64_t height, int64_t width) {
  std::vector<uint8_t> known(static_cast<size_t>(height * width));
  keyed_mask({.seed = seed, .purpose = Purpose::mask}, height, width, known);
  return known;
}

// Returns the fraction of pixels that are missing.
double missing(const std::vector<uint8_t>& known) {
  return static_cast<double>(std::ranges::count(known, uint8_t{0})) /
         static_cast<double>(known.size());
}

// Returns whether the missing pixels fill their bounding box.
bool is_box(const std::vector<uint8_t>& known, int64_t width) {
  int64_t top = INT64_MAX, left = INT64_MAX, bottom = -1, right = -1, count = 0;
  for (size_t i = 0; i < known.size(); ++i) {
    if (known[i] != 0) continue;
    const int64_t y = static_cast<int64_t>(i) / width, x = static_cast<int64_t>(i) % width;
    top = std::min(top, y);
    bottom = std::max(bottom, y);
    left = std::min(left, x);
    right = std::max(right, x);
    ++count;
  }
  return count == (bottom - top + 1) * (right - left + 1);
}

TEST(KeyedMask, IsAFunctionOfTheKey) {
  EXPECT_EQ(mask_of(7, 28, 28), mask_of(7, 28, 28));
  EXPECT_NE(mask_of(7, 28, 28), mask_of(8, 28, 28));
}

TEST(KeyedMask, HidesPartOfTheImageInBoxesAndStrokes) {
  constexpr int kMasks = 400;
  int boxes = 0;
  double sum = 0.0;
  for (uint64_t seed = 0; seed < kMasks; ++seed) {
    const std::vector<uint8_t> known = mask_of(seed, 32, 48);
    boxes += is_box(known, 48) ? 1 : 0;
    sum += missing(known);
    EXPECT_GT(missing(known), 0.0) << seed;
    EXPECT_LT(missing(known), 1.0) << seed;
  }
  EXPECT_NEAR(boxes, kMasks / 2, 5 * 10);  // 5 standard deviations
  EXPECT_GT(sum / kMasks, 0.1);
  EXPECT_LT(sum / kMasks, 0.4);
}

// The bits of a box and of strokes: masks must never change, because runs and evaluations depend on
// them.
TEST(KeyedMask, NeverChanges) {
  const auto text_of = [](const std::vector<uint8_t>& known) {
    std::string text;
    for (size_t i = 0; i < known.size(); ++i)
      text += std::string(known[i] ? "." : "#") + (i % 12 == 11 ? "\n" : "");
    return text;
  };
  EXPECT_EQ(text_of(mask_of(0, 12, 12)), R"(............
............
............
............
............
....######..
....######..
....######..
....######..
....######..
....######..
............
)");
  EXPECT_EQ(text_of(mask_of(3, 12, 12)), R"(............
.....#......
....###.....
...###.##...
..###.###...
..##..##....
.###.###....
..######....
...#####....
....###.....
............
............
)");
}

TEST(KeyedMask, AcceptsImagesOfOnePixel) { EXPECT_EQ(mask_of(3, 1, 1).size(), 1u); }

TEST(KeyedMask, RefusesAnotherNumberOfPixels) {
  std::vector<uint8_t> known(5);
  EXPECT_THROW(keyed_mask({.seed = 1, .purpose = Purpose::mask}, 2, 3, known), ConfigError);
  EXPECT_THROW(keyed_mask({.seed = 1, .purpose = Purpose::mask}, 0, 5, known), ConfigError);
}

}  // namespace
}  // namespace halfstep
