// BMP, GIF and TIFF, and the orientation of all formats. The files were written by Pillow
// (make_files.py).
#include <gtest/gtest.h>

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/io/exif.h"
#include "halfstep/io/image.h"
#include "tests/io/hostile.h"

namespace halfstep::io {
namespace {

Image decode(const Bytes& contents) { return decode_image(contents, "file"); }

// The same formula as in make_files.py.
Image pattern(int channels) {
  Image image{7, 5, channels, {}};
  for (int y = 0; y < 5; ++y) {
    for (int x = 0; x < 7; ++x) {
      for (int c = 0; c < channels; ++c)
        image.pixels.push_back(static_cast<std::uint8_t>(37 * x + 61 * y + 89 * c));
    }
  }
  return image;
}

Image with_palette() {
  constexpr std::uint8_t kColours[4][3] = {
      {0, 0, 0}, {10, 20, 30}, {100, 110, 120}, {255, 254, 253}};
  Image image{7, 5, 3, {}};
  for (const std::uint8_t value : pattern(1).pixels) {
    const auto& colour = kColours[value % 4];
    image.pixels.insert(image.pixels.end(), colour, colour + 3);
  }
  return image;
}

void expect_same(const Image& image, const Image& expected) {
  EXPECT_EQ(image.width, expected.width);
  EXPECT_EQ(image.height, expected.height);
  EXPECT_EQ(image.channels, expected.channels);
  EXPECT_EQ(image.pixels, expected.pixels);
}

void expect_file_is(const std::string& name, const Image& expected) {
  SCOPED_TRACE(name);
  expect_same(read_image(data_file(name)), expected);
}

const std::vector<std::string> kFiles = {"rgb.bmp",    "gray.bmp",    "rgba.bmp", "palette.bmp",
                                         "bits.bmp",   "palette.gif", "gray.gif", "animated.gif",
                                         "rgb.tif",    "rgba.tif",    "gray.tif", "palette.tif",
                                         "gray16.tif", "pages.tif"};

TEST(Bmp, ReadsFilesOfPillow) {
  expect_file_is("rgb.bmp", pattern(3));
  expect_file_is("gray.bmp", pattern(1));
  expect_file_is("palette.bmp", with_palette());
  Image bits = pattern(1);
  for (std::uint8_t& value : bits.pixels) value = value >= 128 ? 255 : 0;
  expect_file_is("bits.bmp", bits);
}

TEST(Bmp, TransparencyIsDropped) {
  const Image image = read_image(data_file("rgba.bmp"));
  expect_same(image, pattern(3));
}

TEST(Bmp, ReadsSixteenBitsAndRowsFromTheTop) {
  Bytes bytes = bytes_of(std::string("BM") + std::string(52, '\0') + "\x1f\x7c\xe0\x03");
  bytes[10] = std::byte{54};             // the pixels
  bytes[14] = std::byte{40};             // the header
  bytes[18] = bytes[26] = std::byte{1};  // width, planes
  for (int i = 22; i < 26; ++i) bytes[static_cast<std::size_t>(i)] = std::byte{0xff};  // height -1
  bytes[28] = std::byte{16};
  expect_same(decode(bytes), {1, 1, 3, {255, 0, 255}});
}

TEST(Bmp, RejectsCompressionInWords) {
  Bytes bytes = read_bytes(data_file("gray.bmp"));
  bytes[30] = std::byte{1};  // run lengths
  expect_error<FormatError>([&] { decode(bytes); }, "received a compressed one; save it as PNG");
}

TEST(Gif, ReadsTheFirstFrame) {
  expect_file_is("palette.gif", with_palette());
  expect_file_is("interlaced.gif", with_palette());
  expect_file_is("animated.gif", with_palette());
  expect_file_is("gray.gif", pattern(1));
}

TEST(Tiff, ReadsTheFirstPage) {
  expect_file_is("rgb.tif", pattern(3));
  expect_file_is("pages.tif", pattern(3));
  expect_file_is("gray.tif", pattern(1));
  expect_file_is("gray16.tif", pattern(1));
  expect_file_is("palette.tif", with_palette());
}

TEST(Tiff, TransparencyIsDroppedNotBlended) { expect_file_is("rgba.tif", pattern(3)); }

TEST(Tiff, OtherNumbersAreRefusedInWords) {
  expect_error<FormatError>([] { read_image(data_file("float.tif")); }, "[");
}

TEST(ImageFormats, RejectBombsBeforeAllocatingMemory) {
  for (const auto& [name, at] : std::vector<std::pair<std::string, std::size_t>>{
           {"rgb.bmp", 18}, {"rgb.bmp", 22}, {"palette.gif", 6}, {"palette.gif", 8}}) {
    SCOPED_TRACE(name);
    Bytes bytes = read_bytes(data_file(name));
    bytes[at] = bytes[at + 1] = std::byte{0xff};
    expect_error<FormatError>([&] { decode(bytes); }, "size: expected sides of 1 to 32768");
  }
}

TEST(ImageFormats, RejectTruncations) {
  for (const std::string& name : kFiles) {
    SCOPED_TRACE(name);
    const Bytes bytes = read_bytes(data_file(name));
    // What follows the first frame or page is not read.
    for (std::size_t length = 0; length < std::min<std::size_t>(bytes.size(), 40); ++length) {
      expect_error<FormatError>([&] { decode({bytes.data(), bytes.data() + length}); }, "");
    }
  }
}

TEST(ImageFormats, SurviveMutations) {
  for (const std::string& name : kFiles) {
    SCOPED_TRACE(name);
    expect_mutations_survived(read_bytes(data_file(name)), 1000, [](const Bytes& bytes) {
      const Image image = decode(bytes);
      EXPECT_EQ(image.pixels.size(),
                std::size_t(image.width) * std::size_t(image.height) * std::size_t(image.channels));
    });
  }
}

TEST(Orientation, TurnsImagesUpright) {
  const Image stored{3, 2, 1, {0, 1, 2, 3, 4, 5}};
  const std::vector<Image> expected = {// as by Pillow's ImageOps.exif_transpose
                                       stored,
                                       {3, 2, 1, {2, 1, 0, 5, 4, 3}},
                                       {3, 2, 1, {5, 4, 3, 2, 1, 0}},
                                       {3, 2, 1, {3, 4, 5, 0, 1, 2}},
                                       {2, 3, 1, {0, 3, 1, 4, 2, 5}},
                                       {2, 3, 1, {3, 0, 4, 1, 5, 2}},
                                       {2, 3, 1, {5, 2, 4, 1, 3, 0}},
                                       {2, 3, 1, {2, 5, 1, 4, 0, 3}}};
  for (int orientation = 1; orientation <= 8; ++orientation) {
    SCOPED_TRACE(orientation);
    expect_same(upright(stored, orientation), expected[static_cast<std::size_t>(orientation - 1)]);
  }
  expect_same(upright(stored, 0), stored);
  expect_same(upright(stored, 9), stored);
  expect_same(upright({2, 1, 3, {1, 2, 3, 4, 5, 6}}, 6), {1, 2, 3, {1, 2, 3, 4, 5, 6}});
  expect_same(upright({2, 1, 3, {1, 2, 3, 4, 5, 6}}, 8), {1, 2, 3, {4, 5, 6, 1, 2, 3}});
}

TEST(Orientation, IsReadFromEveryFormat) {
  for (const char* name : {"orientation6.png", "orientation6.webp", "orientation6.tif"})
    expect_file_is(name, pattern(3));
  const Image jpeg = read_image(data_file("orientation6.jpg"));
  const Image upright_jpeg = read_image(data_file("rgb.jpg"));
  ASSERT_EQ(jpeg.pixels.size(), upright_jpeg.pixels.size());
  for (std::size_t i = 0; i < jpeg.pixels.size(); ++i)
    EXPECT_NEAR(jpeg.pixels[i], upright_jpeg.pixels[i], 4);
}

// Returns Exif data with one entry of the first directory.
Bytes exif_of(bool big_endian, unsigned tag, unsigned type, unsigned value) {
  const auto number = [&](unsigned n, unsigned size) {
    std::string text;
    for (unsigned i = 0; i < size; ++i) {
      const unsigned shift = 8 * (big_endian ? size - 1 - i : i);
      text += static_cast<char>(n >> shift & 0xff);
    }
    return text;
  };
  return bytes_of(std::string(big_endian ? "MM" : "II") + number(42, 2) + number(8, 4) +
                  number(1, 2) + number(tag, 2) + number(type, 2) + number(1, 4) +
                  (type == 3 ? number(value, 2) + number(0, 2) : number(value, 4)) + number(0, 4));
}

TEST(Orientation, IsReadInBothByteOrders) {
  for (const bool big_endian : {false, true}) {
    for (const unsigned type : {3u, 4u}) {
      for (unsigned value = 1; value <= 8; ++value)
        EXPECT_EQ(exif_orientation(exif_of(big_endian, 0x0112, type, value)), int(value));
    }
    EXPECT_EQ(exif_orientation(exif_of(big_endian, 0x0112, 3, 9)), 1);
    EXPECT_EQ(exif_orientation(exif_of(big_endian, 0x0112, 2, 6)), 1);
    EXPECT_EQ(exif_orientation(exif_of(big_endian, 0x0113, 3, 6)), 1);
  }
}

TEST(Orientation, DamagedExifIsUpright) {
  const Bytes whole = exif_of(true, 0x0112, 3, 6);
  for (std::size_t length = 0; length < 18; ++length)
    EXPECT_EQ(exif_orientation(std::span(whole).first(length)), 1);
  Bytes far = whole;
  far[4] = far[5] = std::byte{0xff};  // where the directory is
  EXPECT_EQ(exif_orientation(far), 1);
}

}  // namespace
}  // namespace halfstep::io
