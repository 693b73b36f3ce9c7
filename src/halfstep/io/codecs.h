// One decoder a format, for image.cc. Each is told the bytes and the name for messages, and gives
// what image.h promises. Sizes are checked with require_size before memory is taken.
#ifndef HALFSTEP_IO_CODECS_H_
#define HALFSTEP_IO_CODECS_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "halfstep/io/image.h"

namespace halfstep::io {

Image decode_png(std::span<const std::byte> contents, const std::string& name);
Image decode_jpeg(std::span<const std::byte> contents, const std::string& name);
Image decode_webp(std::span<const std::byte> contents, const std::string& name);

// FormatError: "[name] png: expected a sound image, received "reason"; ...".
[[noreturn]] void fail_decode(const std::string& name, std::string_view format,
                              std::string_view reason);

// FormatError if an image is empty or larger than image.h allows.
void require_size(std::int64_t width, std::int64_t height, const std::string& name);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_CODECS_H_
