#include "halfstep/conditioning/image_condition.h"

#include <ATen/Functions.h>
#include <gtest/gtest.h>

#include <vector>

#include "halfstep/conditioning/mask.h"
#include "halfstep/core/error.h"
#include "halfstep/diffusion/sample.h"
#include "tests/support/expect_throws.h"
#include "tests/support/tolerance.h"

namespace halfstep {
namespace {

using Kind = ImageCondition::Kind;
using test::expect_throws;

constexpr ImageCondition kHalved{.kind = Kind::super_resolution, .factor = 2};
constexpr ImageCondition kFilledIn{.kind = Kind::inpainting};
constexpr ImageCondition kColoured{.kind = Kind::colour};

const auto kPixels = at::TensorOptions().dtype(at::kByte);

std::vector<RandomKey> mask_keys(uint64_t seed, int64_t count) {
  std::vector<RandomKey> keys;
  for (int64_t i = 0; i < count; ++i)
    keys.push_back({.seed = seed + static_cast<uint64_t>(i), .purpose = Purpose::mask});
  return keys;
}

TEST(ImageCondition, HasATextForm) {
  for (const char* text : {"none", "super-resolution:4", "inpainting", "colour"})
    EXPECT_EQ(ImageCondition::of(text).value().text(), text);
  EXPECT_EQ(ImageCondition::of("super-resolution:2"), kHalved);
  for (const char* text : {"", "super-resolution", "super-resolution:1", "super-resolution:65",
                           "super-resolution:2x", "Colour", "inpainting "})
    EXPECT_FALSE(ImageCondition::of(text)) << text;
}

TEST(ImageCondition, HasChannels) {
  EXPECT_EQ(condition_channels({}, 3), 0);
  EXPECT_EQ(condition_channels(kHalved, 3), 3);
  EXPECT_EQ(condition_channels(kFilledIn, 1), 2);
  EXPECT_EQ(condition_channels(kColoured, 3), 1);
}

TEST(ImageCondition, LowResolutionIsTheMeanRoundedToTheNearestLevelHalvesUp) {
  const Tensor image = at::tensor({0, 1, 250, 251, 1, 0, 255, 255}, kPixels).reshape({1, 1, 2, 4});
  const KnownImages known = known_of(kHalved, image, {});
  EXPECT_TRUE(at::equal(known.pixels, at::tensor({1, 253}, kPixels).reshape({1, 1, 1, 2})));
  EXPECT_FALSE(known.mask.defined());
  const ImageSize size = size_of(kHalved, known, 1);
  EXPECT_EQ(size.height, 2);
  EXPECT_EQ(size.width, 4);
}

TEST(ImageCondition, LowResolutionIsEnlargedByBicubicInterpolation) {
  const Tensor flat = condition_tensor(kHalved, {.pixels = at::full({1, 3, 2, 2}, 255, kPixels)});
  EXPECT_TRUE(at::equal(flat, at::ones({1, 3, 4, 4})));
  // Pixel 2 i lies a quarter of a pixel before pixel i, pixel 2 i + 1 a quarter behind it. The four
  // pixels around each have the weights of the kernel with a = -0.75.
  const auto weight = [](double x) {
    constexpr double a = -0.75;
    return x <= 1.0 ? (a + 2) * x * x * x - (a + 3) * x * x + 1
                    : a * x * x * x - 5 * a * x * x + 8 * a * x - 4 * a;
  };
  const std::vector<double> levels = {0, 20, 10, 200, 90, 255, 3, 40};
  std::vector<double> values;
  for (size_t i = 2; i < 6; ++i) {
    values.push_back(weight(1.75) * levels[i - 2] + weight(0.75) * levels[i - 1] +
                     weight(0.25) * levels[i] + weight(1.25) * levels[i + 1]);
    values.push_back(weight(1.25) * levels[i - 1] + weight(0.25) * levels[i] +
                     weight(0.75) * levels[i + 1] + weight(1.75) * levels[i + 2]);
  }
  const Tensor row = at::tensor(levels, at::kDouble).to(at::kByte).reshape({1, 1, 1, 8});
  const Tensor enlarged = condition_tensor(kHalved, {.pixels = row.expand({1, 1, 8, 8})});
  const Tensor expected = at::tensor(values, at::kDouble) / 127.5 - 1.0;
  EXPECT_TENSOR_CLOSE(enlarged[0][0][7].narrow(0, 4, 8), expected.clamp(-1.0, 1.0).to(at::kFloat));
  // The kernel overshoots beside an edge; the result is clipped.
  const Tensor edge = at::tensor({0, 0, 0, 255, 255, 255}, kPixels).reshape({1, 1, 1, 6});
  const Tensor clipped = condition_tensor(kHalved, {.pixels = edge.expand({1, 1, 6, 6})});
  EXPECT_EQ(clipped.min().item<float>(), -1.0F);
  EXPECT_EQ(clipped.max().item<float>(), 1.0F);
}

// The levels that Pillow's convert("L") gives.
TEST(ImageCondition, LumaIsThatOfPillow) {
  const Tensor rgb =
      at::tensor({10, 255, 1, 200, 254, 2, 30, 253, 250}, kPixels).reshape({1, 3, 1, 3});
  const KnownImages known = known_of(kColoured, rgb, {});
  EXPECT_TRUE(at::equal(known.pixels, at::tensor({124, 254, 30}, kPixels).reshape({1, 1, 1, 3})));
  EXPECT_TRUE(at::equal(condition_tensor(kColoured, known), from_uint8(known.pixels)));
  EXPECT_TRUE(at::equal(picture_of(kColoured, known, 3), known.pixels.expand({1, 3, 1, 3})));
}

TEST(ImageCondition, InpaintingHasTheMasksOfTheKeys) {
  const Tensor images = at::randint(1, 256, {3, 2, 9, 7}, kPixels);
  const KnownImages known = known_of(kFilledIn, images, mask_keys(5, 3));
  for (int64_t i = 0; i < 3; ++i) {
    std::vector<uint8_t> mask(63);
    keyed_mask(mask_keys(5, 3)[static_cast<size_t>(i)], 9, 7, mask);
    EXPECT_TRUE(at::equal(known.mask[i].flatten().to(at::kByte), at::tensor(mask, kPixels)));
  }
  EXPECT_TRUE(at::equal(known.pixels, images * known.mask));
  const Tensor tensor = condition_tensor(kFilledIn, known);
  EXPECT_TRUE(at::equal(tensor.narrow(1, 0, 2), from_uint8(images) * known.mask));
  EXPECT_TRUE(at::equal(tensor.narrow(1, 2, 1), known.mask.to(at::kFloat)));
  const Tensor drawn = at::zeros_like(images);
  EXPECT_TRUE(at::equal(with_known_pixels(drawn, known), images * known.mask));
}

TEST(ImageCondition, PartsAreNarrowed) {
  const Tensor images = at::randint(0, 256, {4, 1, 8, 8}, kPixels);
  const KnownImages known = known_of(kFilledIn, images, mask_keys(0, 4));
  const KnownImages part = known.narrow(1, 2);
  EXPECT_TRUE(at::equal(condition_tensor(kFilledIn, part),
                        condition_tensor(kFilledIn, known).narrow(0, 1, 2)));
  EXPECT_TRUE(at::equal(with_known_pixels(at::zeros({2, 1, 8, 8}, kPixels),
                                          known_of(kHalved, images, {}).narrow(1, 2)),
                        at::zeros({2, 1, 8, 8}, kPixels)));
}

TEST(ImageCondition, RefusesImagesThatDoNotFit) {
  expect_throws<ConfigError>({"condition", "multiples of 2", "received 28 x 27"},
                             [] { require_restorable(kHalved, 1, 28, 27); });
  expect_throws<ConfigError>({"colour", "3 channels", "received 1"},
                             [] { require_restorable(kColoured, 1, 28, 28); });
  expect_throws<ConfigError>({"expected what is known", "received nothing"},
                             [] { size_of(kHalved, {}, 1); });
  const Tensor image = at::zeros({1, 3, 4, 4}, kPixels);
  expect_throws<ConfigError>({"1 channel", "[1, 3, 4, 4]"},
                             [&] { size_of(kHalved, {.pixels = image}, 1); });
  expect_throws<ConfigError>({"uint8", "Float"},
                             [&] { size_of(kHalved, {.pixels = image.to(at::kFloat)}, 3); });
  expect_throws<ConfigError>({"expected a mask", "none"},
                             [&] { size_of(kFilledIn, {.pixels = image}, 3); });
  const Tensor mask = at::ones({1, 1, 4, 4}, at::kBool);
  expect_throws<ConfigError>({"expected no mask", "one"},
                             [&] { size_of(kHalved, {.pixels = image, .mask = mask}, 3); });
  expect_throws<ConfigError>({"mask", "[1, 1, 4, 4]"}, [&] {
    size_of(kFilledIn, {.pixels = image, .mask = mask.narrow(2, 0, 3)}, 3);
  });
}

}  // namespace
}  // namespace halfstep
