#include "halfstep/data/resize.h"

#include <gtest/gtest.h>

#include <numeric>

#include "halfstep/core/error.h"
#include "tests/data/data_files.h"

namespace halfstep::data {
namespace {

using Pixels = std::vector<uint8_t>;

io::Image grey(int width, int height, Pixels pixels) {
  return {width, height, 1, std::move(pixels)};
}

double mean_of(const io::Image& image) {
  return std::accumulate(image.pixels.begin(), image.pixels.end(), 0.0) /
         static_cast<double>(image.pixels.size());
}

TEST(Resize, SameSizeIsTheIdentity) {
  const io::Image image = counting_image(5, 4, 3);
  EXPECT_EQ(resize(image, 4, 5).pixels, image.pixels);
}

TEST(Resize, ConstantStaysConstant) {
  for (const int value : {0, 1, 127, 254, 255}) {
    const io::Image image{13, 7, 3, Pixels(13 * 7 * 3, static_cast<uint8_t>(value))};
    for (const int size : {1, 2, 3, 5, 7, 11, 16, 40}) {
      const io::Image resized = resize(image, size, size + 1);
      EXPECT_EQ(resized.height, size);
      EXPECT_EQ(resized.width, size + 1);
      EXPECT_EQ(resized.pixels, Pixels(resized.pixels.size(), static_cast<uint8_t>(value)));
      EXPECT_EQ(resized.pixels.size(), static_cast<size_t>(3 * size * (size + 1)));
    }
  }
}

TEST(Resize, HalvingIsTheMeanOfTwoByTwo) {
  const io::Image image = grey(4, 2,
                               {0, 4, 100, 101,  //
                                8, 12, 101, 101});
  EXPECT_EQ(resize(image, 1, 2).pixels, (Pixels{6, 101}));  // 100.75 is rounded to 101
}

TEST(Resize, HalvesAreRoundedUp) {
  EXPECT_EQ(resize(grey(2, 1, {0, 1}), 1, 1).pixels, Pixels{1});
  EXPECT_EQ(resize(grey(4, 1, {0, 0, 0, 1}), 1, 1).pixels, Pixels{0});
}

TEST(Resize, IntegerFactorsPreserveTheMean) {
  const io::Image image = counting_image(24, 24, 1, 7);
  for (const int size : {12, 8, 6, 4, 3, 2, 1}) {
    EXPECT_NEAR(mean_of(resize(image, size, size)), mean_of(image), 0.5) << size;
  }
}

TEST(Resize, PartialPixelsAreWeightedByTheirArea) {
  // Three pixels to two: each covers one and a half.
  EXPECT_EQ(resize(grey(3, 1, {30, 60, 90}), 1, 2).pixels, (Pixels{40, 80}));
  EXPECT_EQ(resize(grey(1, 3, {30, 60, 90}), 2, 1).pixels, (Pixels{40, 80}));
  // Five pixels to two: each covers two and a half.
  EXPECT_EQ(resize(grey(5, 1, {10, 20, 30, 40, 50}), 1, 2).pixels, (Pixels{18, 42}));
}

TEST(Resize, DoublingIsBilinearBetweenCentres) {
  EXPECT_EQ(resize(grey(2, 1, {0, 100}), 1, 4).pixels, (Pixels{0, 25, 75, 100}));
  EXPECT_EQ(resize(grey(1, 2, {0, 100}), 4, 1).pixels, (Pixels{0, 25, 75, 100}));
  EXPECT_EQ(resize(grey(2, 2, {0, 100, 100, 200}), 4, 4).pixels,
            (Pixels{0, 25, 75, 100, 25, 50, 100, 125, 75, 100, 150, 175, 100, 125, 175, 200}));
}

TEST(Resize, EnlargedRampStaysARamp) {
  const io::Image ramp = resize(grey(4, 1, {0, 64, 128, 192}), 1, 16);
  for (size_t i = 2; i < 14; ++i) {
    EXPECT_EQ(ramp.pixels[i], 8 + 16 * (i - 2)) << i;
  }
}

TEST(Resize, AxesAreIndependent) {
  // Half the width and twice the height.
  EXPECT_EQ(resize(grey(2, 2, {0, 20, 100, 120}), 4, 1).pixels, (Pixels{10, 35, 85, 110}));
}

TEST(Resize, ChannelsDoNotMix) {
  const io::Image image{2, 1, 3, {0, 100, 200, 10, 110, 210}};
  EXPECT_EQ(resize(image, 1, 1).pixels, (Pixels{5, 105, 205}));
}

TEST(Resize, RejectsInvalidSizes) {
  const io::Image image = counting_image(2, 2, 1);
  EXPECT_THROW(resize(image, 0, 2), ConfigError);
  EXPECT_THROW(resize(image, 2, -1), ConfigError);
  EXPECT_THROW(resize(image, 2, io::kMaxImageSide + 1), ConfigError);
}

TEST(CentreCrop, ReturnsTheMiddle) {
  const io::Image image = counting_image(4, 4, 1);
  EXPECT_EQ(centre_crop(image, 2).pixels, (Pixels{5, 6, 9, 10}));
  EXPECT_EQ(centre_crop(image, 4).pixels, image.pixels);
}

TEST(CentreCrop, OddMarginsAreLargerAtTheRightAndBottom) {
  EXPECT_EQ(centre_crop(grey(4, 1, {1, 2, 3, 4}), 1).pixels, Pixels{2});
  EXPECT_EQ(centre_crop(grey(1, 4, {1, 2, 3, 4}), 1).pixels, Pixels{2});
}

TEST(CentreCrop, KeepsChannelsTogether) {
  EXPECT_EQ(centre_crop(counting_image(3, 1, 3), 1).pixels, (Pixels{3, 4, 5}));
}

TEST(CentreCrop, RejectsATooLargeSquare) {
  EXPECT_THROW(centre_crop(counting_image(4, 2, 1), 3), ConfigError);
  EXPECT_THROW(centre_crop(counting_image(4, 2, 1), 0), ConfigError);
}

TEST(Square, CropsThenResizes) {
  // The middle four of six columns, at half the size.
  const io::Image image = square(counting_image(6, 4, 1), 2);
  EXPECT_EQ(image.width, 2);
  EXPECT_EQ(image.height, 2);
  EXPECT_EQ(image.pixels, (Pixels{5, 7, 17, 19}));  // 4.5, 6.5, 16.5, 18.5
}

}  // namespace
}  // namespace halfstep::data
