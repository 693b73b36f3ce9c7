// One decoder per image format, for image.cc. Each decodes `contents` as image.h describes and uses
// `name` in messages. Decoders check sizes with require_size before they allocate memory.
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
Image decode_gif(std::span<const std::byte> contents, const std::string& name);
Image decode_tiff(std::span<const std::byte> contents, const std::string& name);
Image decode_bmp(std::span<const std::byte> contents, const std::string& name);

// Throws FormatError "[NAME] FORMAT: expected a valid image, received "REASON"; ...".
[[noreturn]] void fail_decode(const std::string& name, std::string_view format,
                              std::string_view reason);

// Throws FormatError if the image is empty or larger than image.h allows.
void require_size(std::int64_t width, std::int64_t height, const std::string& name);

// Returns whether all colours of a palette, [colours, 3], are grey.
bool is_grey(std::span<const std::uint8_t> palette);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_CODECS_H_
