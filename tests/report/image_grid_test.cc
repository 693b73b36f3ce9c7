#include "halfstep/report/image_grid.h"

#include <gtest/gtest.h>

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/report/bitmap_font.h"

namespace halfstep::report {
namespace {

// Returns images in which every pixel has a different number.
Tensor numbered(int64_t count, int64_t channels, int64_t height, int64_t width) {
  return at::arange(count * channels * height * width, at::kLong)
      .view({count, channels, height, width})
      .to(at::kByte);
}

int pixel(const io::Image& image, int64_t y, int64_t x, int64_t c) {
  return image.pixels[static_cast<size_t>((y * image.width + x) * image.channels + c)];
}

// Returns the pixel at (y, x) of a grid by definition: a pixel of an image, or white.
int expected_pixel(const Tensor& images, int64_t columns, int64_t y, int64_t x, int64_t c) {
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  const int64_t image = y / (height + 1) * columns + x / (width + 1);
  const int64_t inside_y = y % (height + 1);
  const int64_t inside_x = x % (width + 1);
  if (inside_y == height || inside_x == width || image >= images.size(0)) return 255;
  return images[image][c][inside_y][inside_x].item<int>();
}

void expect_grid(const Tensor& images, int64_t columns, int64_t rows, const io::Image& grid) {
  ASSERT_EQ(grid.height, rows * (images.size(2) + 1) - 1);
  ASSERT_EQ(grid.width, columns * (images.size(3) + 1) - 1);
  ASSERT_EQ(grid.channels, images.size(1));
  ASSERT_EQ(grid.pixels.size(), static_cast<size_t>(grid.height * grid.width * grid.channels));
  for (int64_t y = 0; y < grid.height; ++y) {
    for (int64_t x = 0; x < grid.width; ++x) {
      for (int64_t c = 0; c < grid.channels; ++c) {
        EXPECT_EQ(pixel(grid, y, x, c), expected_pixel(images, columns, y, x, c))
            << y << " " << x << " " << c;
      }
    }
  }
}

TEST(ImageGrid, EveryPixelIsWhereItBelongs) {
  const Tensor images = numbered(6, 3, 2, 4);
  expect_grid(images, 3, 2, image_grid(images, 3));
}

TEST(ImageGrid, EmptyCellsAreWhite) {
  const Tensor images = numbered(5, 1, 3, 3);
  expect_grid(images, 4, 2, image_grid(images, 4));
}

TEST(ImageGrid, IsAboutSquareByDefault) {
  expect_grid(numbered(4, 1, 2, 2), 2, 2, image_grid(numbered(4, 1, 2, 2)));
  expect_grid(numbered(5, 1, 2, 2), 3, 2, image_grid(numbered(5, 1, 2, 2)));
  expect_grid(numbered(1, 3, 2, 2), 1, 1, image_grid(numbered(1, 3, 2, 2)));
}

TEST(ImageGrid, ASingleImageHasItsChannelsLast) {
  const Tensor pixels = numbered(1, 3, 4, 5)[0];
  const io::Image image = to_image(pixels);
  EXPECT_EQ(image.height, 4);
  EXPECT_EQ(image.width, 5);
  for (int64_t y = 0; y < 4; ++y) {
    for (int64_t x = 0; x < 5; ++x) {
      for (int64_t c = 0; c < 3; ++c) EXPECT_EQ(pixel(image, y, x, c), pixels[c][y][x].item<int>());
    }
  }
}

TEST(ImageGrid, RefusesOtherShapes) {
  EXPECT_THROW(image_grid(at::zeros({3, 8, 8}, at::kByte)), ConfigError);
  EXPECT_THROW(to_image(at::zeros({1, 3, 8, 8}, at::kByte)), ConfigError);
}

TEST(ImageGrid, ScalesByRepeatingPixels) {
  const Tensor images = numbered(3, 1, 2, 2);
  const io::Image scaled = image_grid(images, {.columns = 2, .scale = 3});
  EXPECT_EQ(scaled.width, 2 * 6 + 1);
  EXPECT_EQ(scaled.height, 2 * 6 + 1);
  const Tensor large = images.repeat_interleave(3, 2).repeat_interleave(3, 3);
  EXPECT_EQ(scaled.pixels, image_grid(large, 2).pixels);
  EXPECT_THROW(image_grid(images, GridOptions{.scale = 0}), ConfigError);
  EXPECT_THROW(image_grid(images, GridOptions{.scale = 65}), ConfigError);
}

TEST(ImageGrid, CaptionsAreBelowTheImages) {
  const Tensor images = at::full({1, 3, 4, 4}, 7, at::kByte);
  const io::Image grid = image_grid(images, {.captions = {"l1"}});
  ASSERT_EQ(grid.width, 2 * 5 + 2);  // wider than the image
  ASSERT_EQ(grid.height, 4 + 7 + 2);
  const auto row = [&](int y) {
    std::string text;
    for (int x = 0; x < grid.width; ++x) {
      const uint8_t value = grid.pixels[static_cast<size_t>((y * grid.width + x) * 3)];
      text += value == 0 ? '#' : value == 255 ? '.' : 'o';
    }
    return text;
  };
  EXPECT_EQ(row(3), "oooo........");
  EXPECT_EQ(row(4), "............");
  EXPECT_EQ(row(5), "..##....#...");
  EXPECT_EQ(row(6), "...#...##...");
  EXPECT_EQ(row(10), "..###..###..");
  EXPECT_EQ(row(12), "............");
  EXPECT_THROW(image_grid(images, GridOptions{.captions = {"a", "b"}}), ConfigError);
}

TEST(BitmapFont, ShowsOneGlyphPerCharacter) {
  EXPECT_EQ(as_glyphs("caf\u00e9 \u20ac\n", 32), "caf? ??");
  EXPECT_EQ(as_glyphs("abc", 2), "ab");
  for (char c = '!'; c <= '~'; ++c) {
    bool empty = true;
    for (int i = 0; i < kGlyphWidth * kGlyphHeight; ++i)
      empty = empty && !glyph_pixel(c, i % kGlyphWidth, i / kGlyphWidth);
    EXPECT_FALSE(empty) << c;
  }
}

}  // namespace
}  // namespace halfstep::report
