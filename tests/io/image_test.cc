#include "halfstep/io/image.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <cstring>

#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

// The same formulas as in make_files.py.
Image pattern(int width, int height, int channels) {
  Image image{width, height, channels, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      for (int c = 0; c < channels; ++c) {
        image.pixels.push_back(static_cast<std::uint8_t>(37 * x + 61 * y + 89 * c));
      }
    }
  }
  return image;
}

Image slope(int channels) {
  Image image{16, 16, channels, {}};
  for (int y = 0; y < 16; ++y) {
    for (int x = 0; x < 16; ++x) {
      for (int c = 0; c < channels; ++c) {
        image.pixels.push_back(static_cast<std::uint8_t>(40 + 5 * x + 3 * y + 30 * c));
      }
    }
  }
  return image;
}

Image decode(const Bytes& contents) { return decode_image(contents, "file"); }

void expect_near(const Image& image, const Image& expected, int levels) {
  EXPECT_EQ(image.width, expected.width);
  EXPECT_EQ(image.height, expected.height);
  ASSERT_EQ(image.channels, expected.channels);
  ASSERT_EQ(image.pixels.size(), expected.pixels.size());
  int furthest = 0;
  for (std::size_t i = 0; i < image.pixels.size(); ++i) {
    furthest = std::max(furthest, std::abs(image.pixels[i] - expected.pixels[i]));
  }
  EXPECT_LE(furthest, levels);
}

void expect_file_is(const std::string& name, const Image& expected, int levels = 0) {
  SCOPED_TRACE(name);
  expect_near(read_image(data_file(name)), expected, levels);
}

// Returns the checksum of a PNG chunk.
std::uint32_t crc32(std::span<const std::byte> bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const std::byte byte : bytes) {
    crc ^= std::to_integer<std::uint32_t>(byte);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc;
}

void store_big_endian(std::byte* to, std::uint32_t value) {
  for (int i = 0; i < 4; ++i) to[i] = static_cast<std::byte>(value >> (24 - 8 * i));
}

// Corrects the checksums of all chunks, so that damaged contents reach the decoder.
void repair_checksums(Bytes& png) {
  std::size_t at = 8;
  while (at + 12 <= png.size()) {
    std::size_t length = 0;
    for (int i = 0; i < 4; ++i) length = length << 8 | std::to_integer<std::size_t>(png[at + i]);
    if (length > png.size() - at - 12) return;
    store_big_endian(&png[at + 8 + length], crc32(std::span(png).subspan(at + 4, length + 4)));
    at += 12 + length;
  }
}

Bytes png_of_size(std::uint32_t width, std::uint32_t height) {
  Bytes png = encode_png(pattern(2, 2, 3));
  store_big_endian(&png[16], width);
  store_big_endian(&png[20], height);
  repair_checksums(png);
  return png;
}

TEST(Png, RoundTripsGrayAndRgb) {
  for (const int channels : {1, 3}) {
    for (const auto& [width, height] : {std::pair(1, 1), {5, 7}, {64, 3}, {200, 100}}) {
      const Image image = pattern(width, height, channels);
      expect_near(decode(encode_png(image)), image, 0);
    }
  }
}

TEST(Png, TheSameImageGivesTheSameBytes) {
  EXPECT_EQ(encode_png(pattern(9, 9, 3)), encode_png(pattern(9, 9, 3)));
}

TEST(Png, IsWrittenAtomically) {
  const TemporaryFolder folder;
  write_png(folder / "x.png", pattern(4, 4, 3));
  expect_near(read_image(folder / "x.png"), pattern(4, 4, 3), 0);
  EXPECT_EQ(folder.files(), 1);
}

TEST(Png, ConvertsEveryKindToEightBits) {
  expect_file_is("rgb.png", pattern(7, 5, 3));
  expect_file_is("gray.png", pattern(7, 5, 1));
  expect_file_is("gray16.png", pattern(7, 5, 1));
  expect_file_is("interlaced.png", pattern(7, 5, 1));
  Image bits = pattern(7, 5, 1);
  for (std::uint8_t& value : bits.pixels) value = value >= 128 ? 255 : 0;
  expect_file_is("bits.png", bits);
}

TEST(Png, PalettesBecomeRgb) {
  constexpr std::uint8_t kColours[4][3] = {
      {0, 0, 0}, {10, 20, 30}, {100, 110, 120}, {255, 254, 253}};
  Image expected{7, 5, 3, {}};
  for (const std::uint8_t value : pattern(7, 5, 1).pixels) {
    const auto& colour = kColours[value % 4];
    expected.pixels.insert(expected.pixels.end(), colour, colour + 3);
  }
  expect_file_is("palette.png", expected);  // colour 2 is transparent in the file
}

TEST(Png, TransparencyIsDroppedNotBlended) {
  Image expected = pattern(7, 5, 3);
  expect_file_is("rgba.png", expected);
  expect_file_is("gray_alpha.png", pattern(7, 5, 1));
}

TEST(Png, EncodingChecksTheImage) {
  expect_error<ConfigError>([] { encode_png({2, 2, 3, {}}); }, "received [2, 2, 3] and 0 bytes");
  expect_error<ConfigError>([] { encode_png({0, 0, 3, {}}); }, "received [0, 0, 3]");
  expect_error<ConfigError>([] { encode_png(pattern(2, 2, 2)); }, "1 or 3");
  expect_error<ConfigError>([] { encode_png({-1, -1, 1, {0}}); }, "received [-1, -1, 1]");
}

TEST(Png, RejectsBombsBeforeAllocatingMemory) {
  expect_error<FormatError>([] { decode(png_of_size(32769, 1)); }, "png");
  expect_error<FormatError>([] { decode(png_of_size(0x7fffffff, 0x7fffffff)); }, "png");
  expect_error<FormatError>([] { decode(png_of_size(32768, 32768)); }, "make the image smaller");
  expect_error<FormatError>([] { decode(png_of_size(0, 5)); }, "png");
}

TEST(Png, RejectsTooFewPixels) {
  expect_error<FormatError>([] { decode(png_of_size(100, 100)); }, "png");
}

TEST(Jpeg, ReadsFilesOfPillow) {
  expect_file_is("rgb.jpg", slope(3), 4);
  expect_file_is("progressive.jpg", slope(3), 4);
  expect_file_is("gray.jpg", slope(1), 3);
}

// clang 14 cannot compile std::ranges::search of GCC 12.
std::ptrdiff_t place_of(std::string_view text, const Bytes& bytes) {
  const Bytes part = bytes_of(text);
  return std::search(bytes.begin(), bytes.end(), part.begin(), part.end()) - bytes.begin();
}

// The sums of each channel are those of Pillow's convert("RGB"), which ignores the marker.
TEST(Jpeg, CmykBecomesRgbAsByPillowWithAndWithoutAdobeMarker) {
  Bytes bytes = read_bytes(data_file("cmyk.jpg"));
  for (const bool has_marker : {true, false}) {
    if (!has_marker) {
      const std::ptrdiff_t marker = place_of("Adobe", bytes);
      ASSERT_LT(marker, std::ssize(bytes));
      bytes.begin()[marker] = std::byte{'X'};
    }
    const Image image = decode(bytes);
    std::array<std::size_t, 3> sums = {}, weighted = {};
    for (std::size_t i = 0; i < image.pixels.size(); ++i) {
      sums[i % 3] += image.pixels[i];
      weighted[i % 3] += image.pixels[i] * (i / 3);
    }
    EXPECT_EQ(sums, (std::array<std::size_t, 3>{25600, 33280, 40960}));
    EXPECT_EQ(weighted, (std::array<std::size_t, 3>{3552320, 4531520, 5510720}));
  }
}

TEST(Jpeg, RejectsTooManyScans) {
  const Bytes bytes = read_bytes(data_file("progressive.jpg"));
  // The first scan extends from its marker ff da to the next marker; ff 00 is not a marker.
  const auto scan = bytes.begin() + place_of("\xff\xda", bytes);
  auto end = scan + 2;
  while (end[0] != std::byte{0xff} || end[1] == std::byte{0}) ++end;
  Bytes longer(bytes.begin(), scan);
  for (int i = 0; i < 1000; ++i) longer.insert(longer.end(), scan, end);
  longer.insert(longer.end(), end, bytes.end());
  expect_error<FormatError>([&] { decode(longer); }, "201 or more scans");
}

TEST(Webp, ReadsFilesOfPillow) {
  expect_file_is("lossless.webp", pattern(7, 5, 3));
  expect_file_is("lossy.webp", slope(3), 8);
}

TEST(Webp, TransparencyIsDroppedNotBlended) { expect_file_is("alpha.webp", pattern(7, 5, 3)); }

TEST(Webp, RejectsAnimations) {
  expect_error<FormatError>([] { read_image(data_file("animated.webp")); }, "an animation");
}

TEST(Image, RejectsOtherFormatsAndQuotesTheirFirstBytes) {
  expect_error<FormatError>([] { decode(bytes_of("P6\n8 8...")); },
                            "[file] image: expected PNG, JPEG, WebP, GIF, TIFF or BMP, received a "
                            "file that begins with \"P6\\x0a8 8...\"");
  expect_error<FormatError>([] { decode({}); }, "begins with \"\"");
}

TEST(Image, MissingFileIsAnIoErrorWithItsName) {
  expect_error<IoError>([] { read_image("absent.png"); }, "absent.png");
}

TEST(Image, RejectsEveryTruncation) {
  for (const char* name : {"rgb.png", "gray16.png", "palette.png", "interlaced.png"}) {
    SCOPED_TRACE(name);
    expect_no_prefix_is_read(read_bytes(data_file(name)), decode);
  }
  for (const char* name : {"lossless.webp", "rgb.jpg", "progressive.jpg", "cmyk.jpg"}) {
    SCOPED_TRACE(name);
    // The last two bytes of a JPEG are only its end marker, and a WebP may have padding.
    Bytes bytes = read_bytes(data_file(name));
    while (bytes.size() > 3) {
      bytes.pop_back();
      bytes.pop_back();
      bytes.pop_back();
      expect_error<FormatError>([&] { decode(bytes); }, "");
    }
  }
}

TEST(Image, SurvivesMutations) {
  for (const char* name : {"rgb.png", "rgb.jpg", "progressive.jpg", "cmyk.jpg", "gray.jpg",
                           "lossless.webp", "alpha.webp", "lossy.webp"}) {
    SCOPED_TRACE(name);
    expect_mutations_survived(read_bytes(data_file(name)), 1000, [](const Bytes& bytes) {
      const Image image = decode(bytes);
      EXPECT_EQ(image.pixels.size(), std::size_t(image.width) * image.height * image.channels);
    });
  }
}

TEST(Image, SurvivesMutationsWithValidChecksums) {
  for (const char* name : {"rgb.png", "gray16.png", "palette.png", "interlaced.png", "bits.png"}) {
    SCOPED_TRACE(name);
    expect_mutations_survived(read_bytes(data_file(name)), 2000, [](Bytes bytes) {
      repair_checksums(bytes);
      decode(bytes);
    });
  }
}

// The levels that Pillow's convert("L") gives.
TEST(GreyImage, IsTheLumaOfPillow) {
  const Image rgb{
      .width = 3, .height = 1, .channels = 3, .pixels = {10, 200, 30, 255, 254, 253, 1, 2, 250}};
  const Image luma = grey(rgb);
  EXPECT_EQ(luma.channels, 1);
  EXPECT_EQ(luma.pixels, (std::vector<std::uint8_t>{124, 254, 30}));
  EXPECT_EQ(grey(luma).pixels, luma.pixels);
}

}  // namespace
}  // namespace halfstep::io
