#include "halfstep/io/image_header.h"

#include <webp/decode.h>

#include <string_view>

#include "halfstep/io/image.h"

namespace halfstep::io {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kPng = "\x89PNG\r\n\x1a\n", kJpeg = "\xff\xd8\xff";

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Returns the big-endian number of `count` bytes at `offset`, which must be inside.
std::uint32_t number(std::string_view text, std::size_t offset, int count) {
  std::uint32_t value = 0;
  for (const char byte : text.substr(offset, static_cast<std::size_t>(count)))
    value = value << 8 | static_cast<unsigned char>(byte);
  return value;
}

// `may_be_turned`: the file may have an orientation, which exchanges width and height.
std::optional<ImageHeader> checked(std::uint32_t width, std::uint32_t height, int channels,
                                   bool may_be_turned) {
  if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide ||
      std::int64_t{width} * height > kMaxImagePixels || (may_be_turned && width != height)) {
    return std::nullopt;
  }
  return ImageHeader{static_cast<int>(width), static_cast<int>(height), channels};
}

std::optional<ImageHeader> png_header(std::string_view begin, std::string_view end) {
  constexpr std::size_t kHeader = 33;  // signature and the chunk IHDR
  if (begin.size() < kHeader || begin.substr(8, 8) != "\0\0\0\rIHDR"sv) return std::nullopt;
  if (!end.ends_with("\0\0\0\0IEND\xae\x42\x60\x82"sv)) return std::nullopt;
  enum : char { grey = 0, rgb = 2, grey_and_alpha = 4, rgb_and_alpha = 6 };
  const char colour = begin[25];
  const bool is_grey = colour == grey || colour == grey_and_alpha;
  if (!is_grey && colour != rgb && colour != rgb_and_alpha) return std::nullopt;
  // The chunk with the orientation stands before or after the pixels, not between them.
  const bool may_be_turned = begin.find("eXIf") != begin.npos || end.find("eXIf") != end.npos;
  return checked(number(begin, 16, 4), number(begin, 20, 4), is_grey ? 1 : 3, may_be_turned);
}

// Returns whether a marker begins a frame, so that the size of the image follows.
bool is_frame(unsigned marker) {
  return marker >= 0xC0 && marker <= 0xCF && marker != 0xC4 && marker != 0xC8 && marker != 0xCC;
}

std::optional<ImageHeader> jpeg_header(std::string_view begin, std::string_view end) {
  if (!end.ends_with("\xff\xd9")) return std::nullopt;
  bool may_be_turned = false;
  for (std::size_t at = 2; at + 10 <= begin.size();) {
    const unsigned marker = number(begin, at + 1, 1);
    if (begin[at] != '\xff' || marker < 0xC0 || marker == 0xD9 || marker == 0xDA) break;
    if (is_frame(marker)) {
      const std::uint32_t components = number(begin, at + 9, 1);
      if (number(begin, at + 4, 1) != 8 || components < 1 || components > 4 || components == 2)
        break;
      return checked(number(begin, at + 7, 2), number(begin, at + 5, 2), components == 1 ? 1 : 3,
                     may_be_turned);
    }
    may_be_turned = may_be_turned || (marker == 0xE1 && begin.substr(at + 4, 4) == "Exif");
    at += 2 + number(begin, at + 2, 2);
  }
  return std::nullopt;
}

std::optional<ImageHeader> webp_header(std::string_view begin, std::uint64_t size) {
  if (begin.size() < 30) return std::nullopt;  // the shortest header of a chunk
  WebPBitstreamFeatures features;
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(begin.data());
  if (WebPGetFeatures(bytes, begin.size(), &features) != VP8_STATUS_OK || features.has_animation)
    return std::nullopt;
  std::uint64_t riff = 0;  // little-endian
  for (std::size_t i = 4; i-- > 0;) riff = riff << 8 | static_cast<unsigned char>(begin[4 + i]);
  if (riff + 8 > size) return std::nullopt;
  const bool may_be_turned = begin.substr(12, 4) == "VP8X" && (begin[20] & 0x08) != 0;
  return checked(static_cast<std::uint32_t>(features.width),
                 static_cast<std::uint32_t>(features.height), 3, may_be_turned);
}

}  // namespace

bool has_header(std::span<const std::byte> begin) {
  const std::string_view text = text_of(begin);
  return text.starts_with(kPng) || text.starts_with(kJpeg) ||
         (text.starts_with("RIFF") && text.size() >= 12 && text.substr(8, 4) == "WEBP");
}

std::optional<ImageHeader> read_image_header(std::span<const std::byte> begin_bytes,
                                             std::span<const std::byte> end_bytes,
                                             std::uint64_t size) {
  const std::string_view begin = text_of(begin_bytes), end = text_of(end_bytes);
  if (!has_header(begin_bytes)) return std::nullopt;
  if (begin.starts_with(kPng)) return png_header(begin, end);
  if (begin.starts_with(kJpeg)) return jpeg_header(begin, end);
  return webp_header(begin, size);
}

}  // namespace halfstep::io
