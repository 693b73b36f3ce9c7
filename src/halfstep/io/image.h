// Images as bytes: PNG, JPEG and WebP in, PNG out.
//
// Decoding gives 8 bits a channel, gray (1) where the file is gray and RGB (3) otherwise. The
// numbers in the file are taken as they are: no gamma, colour profile or EXIF rotation is applied.
// PNG: 1, 2, 4 bits and palettes are expanded; 16 bits are rounded to 8; transparency is dropped
// (the colour beneath it stays, nothing is blended). JPEG: CMYK becomes RGB. WebP: always RGB,
// transparency dropped; animations are refused.
#ifndef HALFSTEP_IO_IMAGE_H_
#define HALFSTEP_IO_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace halfstep::io {

struct Image {
  int width = 0;
  int height = 0;
  int channels = 0;                  // 1 gray or 3 RGB
  std::vector<std::uint8_t> pixels;  // [height, width, channels], size height * width * channels
};

// Larger images are refused before memory is taken for them.
inline constexpr int kMaxImageSide = 32768;
inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 26;

// FormatError, naming `name`, for what is no image of these formats, damaged, cut short or too
// large.
Image decode_image(std::span<const std::byte> contents, const std::string& name);

// As decode_image; IoError if the file cannot be read.
Image read_image(const std::filesystem::path& path);

enum class PngCompression {
  normal,
  none,  // larger, and faster to write and to read
};

// ConfigError unless channels is 1 or 3 and `pixels` has the size the other fields say.
std::vector<std::byte> encode_png(const Image& image,
                                  PngCompression compression = PngCompression::normal);

// Atomic (see io/file.h).
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_IMAGE_H_
