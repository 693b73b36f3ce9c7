// Image files: decodes PNG, JPEG, WebP, GIF, TIFF and BMP and encodes PNG and WebP.
//
// Decoded images have 8 bits per channel. They have one channel (grey) if the file is grey and
// three (RGB) otherwise. They are turned upright if the file has an orientation (Exif). Values are
// used as stored: no gamma or colour profile is applied.
//   PNG   1, 2 and 4 bits and palettes are expanded; 16 bits are rounded to 8; the alpha channel is
//         dropped without blending
//   JPEG  CMYK is converted to RGB
//   WebP  always RGB; the alpha channel is dropped; animations are rejected
//   GIF   the first frame; grey if all colours of its palette are
//   TIFF  the first page; 1 to 16 bits, all that libtiff converts to RGB; the alpha channel is
//         dropped
//   BMP   uncompressed, 1 to 32 bits; grey if all colours of its palette are; alpha is dropped
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
  int channels = 0;                  // 1 (grey) or 3 (RGB)
  std::vector<std::uint8_t> pixels;  // [height, width, channels], size height * width * channels
};

// Larger images are rejected before memory is allocated for them.
inline constexpr int kMaxImageSide = 32768;
inline constexpr std::int64_t kMaxImagePixels = std::int64_t{1} << 26;

// The first bytes of a file by which decode_image recognizes its format.
inline constexpr std::size_t kImageSignature = 12;
// Returns whether `beginning`, up to kImageSignature bytes or more, begins as one of these formats.
bool begins_as_image(std::span<const std::byte> beginning);

// Decodes an image. Throws FormatError, naming `name`, if `contents` are not an image in one of
// these formats, or if the image is damaged, cut short or too large.
Image decode_image(std::span<const std::byte> contents, const std::string& name);

// Reads and decodes an image file. Throws as decode_image, and IoError if the file cannot be read.
Image read_image(const std::filesystem::path& path);

// Returns an image of one channel: the luma (core/luma.h) of a colour image, or the grey image.
Image grey(Image image);

enum class PngCompression {
  normal,
  none,  // larger files, but faster to write and to read
};

// Encodes an image as PNG. Throws ConfigError unless channels is 1 or 3 and the size of `pixels`
// matches the other fields.
std::vector<std::byte> encode_png(const Image& image,
                                  PngCompression compression = PngCompression::normal);

// Encodes an image as lossless WebP, which is RGB: grey images get three equal channels. Throws as
// encode_png, and ConfigError for sides of more than 16383 pixels.
std::vector<std::byte> encode_webp(const Image& image);

// Writes a PNG file atomically: the old file, if any, is replaced once the new one is complete.
// Throws as encode_png, and IoError if the file cannot be written.
void write_png(const std::filesystem::path& path, const Image& image);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_IMAGE_H_
