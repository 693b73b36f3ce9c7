// WebP, by libwebp.
#include <webp/decode.h>

#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/codecs.h"

namespace halfstep::io {

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
  return image;
}

}  // namespace halfstep::io
