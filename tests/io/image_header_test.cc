#include "halfstep/io/image_header.h"

#include <gtest/gtest.h>

#include "halfstep/io/image.h"
#include "tests/io/hostile.h"

namespace halfstep::io {
namespace {

std::optional<ImageHeader> header_of(std::span<const std::byte> file) {
  return read_image_header(file, file, file.size());
}

TEST(ImageHeader, AgreesWithTheDecoderOrIsSilent) {
  int known = 0;
  for (const auto& entry : std::filesystem::directory_iterator(data_file(""))) {
    SCOPED_TRACE(entry.path().string());
    const Bytes file = read_bytes(entry.path());
    const std::optional<ImageHeader> header = header_of(file);
    if (!header) continue;
    ++known;
    const Image image = decode_image(file, "file");
    EXPECT_EQ(header->width, image.width);
    EXPECT_EQ(header->height, image.height);
    EXPECT_EQ(header->channels, image.channels);
  }
  EXPECT_GE(known, 4);
}

TEST(ImageHeader, IsReadFromTheEndsOfTheFile) {
  for (const int channels : {1, 3}) {
    const Image image{40, 30, channels,
                      std::vector<std::uint8_t>(1200 * static_cast<size_t>(channels), 7)};
    const Bytes file = encode_png(image, PngCompression::none);
    const auto header =
        read_image_header(std::span(file).first(40), std::span(file).last(20), file.size());
    ASSERT_TRUE(header);
    EXPECT_EQ(header->width, 40);
    EXPECT_EQ(header->height, 30);
    EXPECT_EQ(header->channels, channels);
  }
}

TEST(ImageHeader, ACutFileHasNone) {
  for (const char* name : {"rgb.jpg", "lossy.webp", "rgb.png"}) {
    SCOPED_TRACE(name);
    const Bytes file = read_bytes(data_file(name));
    ASSERT_TRUE(header_of(file));
    for (size_t size = 0; size < file.size(); ++size)
      EXPECT_FALSE(header_of(std::span(file).first(size))) << size;
  }
}

TEST(ImageHeader, SurvivesMutations) {
  std::mt19937_64 random(1);
  for (const char* name : {"rgb.jpg", "lossy.webp", "rgb.png"}) {
    const Bytes file = read_bytes(data_file(name));
    for (int round = 0; round < 3000; ++round) {
      const auto header = header_of(mutated(file, random));
      if (!header) continue;
      EXPECT_LE(int64_t{header->width} * header->height, kMaxImagePixels);
    }
  }
}

}  // namespace
}  // namespace halfstep::io
