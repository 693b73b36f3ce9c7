// WebP, by libwebp.
#include <webp/decode.h>
#include <webp/encode.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/codecs.h"
#include "halfstep/io/exif.h"

namespace halfstep::io {
namespace {

// Returns the orientation in the chunk EXIF, or 1. `file` is a RIFF file: after 12 bytes, chunks of
// a name, a size and as many bytes, padded to an even number.
int orientation_of(std::span<const std::byte> file) {
  constexpr std::size_t kHead = 8;
  std::span<const std::byte> left = file.subspan(std::min<std::size_t>(file.size(), 12));
  while (left.size() >= kHead) {
    std::size_t size = 0;
    for (std::size_t i = 0; i < 4; ++i)
      size |= std::to_integer<std::size_t>(left[4 + i]) << (8 * i);
    const bool is_exif = std::memcmp(left.data(), "EXIF", 4) == 0;
    left = left.subspan(kHead);
    if (is_exif) return exif_orientation(left.first(std::min(size, left.size())));
    left = left.subspan(std::min(size + size % 2, left.size()));
  }
  return 1;
}

}  // namespace

Image decode_webp(std::span<const std::byte> contents, const std::string& name) {
  const auto* data = reinterpret_cast<const std::uint8_t*>(contents.data());
  WebPBitstreamFeatures features;
  if (WebPGetFeatures(data, contents.size(), &features) != VP8_STATUS_OK) {
    fail_decode(name, "webp", "an unreadable header");
  }
  if (features.has_animation != 0) {
    throw FormatError(name, "webp: expected a still image, received an animation");
  }
  require_size(features.width, features.height, name);
  Image image{features.width, features.height, 3, {}};
  const int stride = 3 * image.width;
  image.pixels.resize(static_cast<std::size_t>(stride) * static_cast<std::size_t>(image.height));
  if (WebPDecodeRGBInto(data, contents.size(), image.pixels.data(), image.pixels.size(), stride) ==
      nullptr) {
    fail_decode(name, "webp", "unreadable pixels");
  }
  return upright(std::move(image), orientation_of(contents));
}

std::vector<std::byte> encode_webp(const Image& image) {
  const auto side_fits = [](int side) { return side >= 1 && side <= WEBP_MAX_DIMENSION; };
  const std::int64_t size = std::int64_t{image.width} * image.height * image.channels;
  if (!side_fits(image.width) || !side_fits(image.height) ||
      (image.channels != 1 && image.channels != 3) ||
      static_cast<std::uint64_t>(size) != image.pixels.size()) {
    throw ConfigError("encode_webp", "image: expected [height, width, 1 or 3] pixels, received [" +
                                         std::to_string(image.height) + ", " +
                                         std::to_string(image.width) + ", " +
                                         std::to_string(image.channels) + "] and " +
                                         std::to_string(image.pixels.size()) + " bytes");
  }
  std::vector<std::uint8_t> rgb;
  for (std::size_t i = 0; image.channels == 1 && i < image.pixels.size(); ++i)
    rgb.insert(rgb.end(), 3, image.pixels[i]);
  std::uint8_t* encoded = nullptr;
  const std::size_t bytes =
      WebPEncodeLosslessRGB(rgb.empty() ? image.pixels.data() : rgb.data(), image.width,
                            image.height, 3 * image.width, &encoded);
  const std::unique_ptr<std::uint8_t, decltype(&WebPFree)> owner(encoded, &WebPFree);
  if (bytes == 0) throw IoError("encode_webp", "memory: expected some for libwebp, received none");
  const auto* const first = reinterpret_cast<const std::byte*>(encoded);
  return {first, first + bytes};
}

}  // namespace halfstep::io
