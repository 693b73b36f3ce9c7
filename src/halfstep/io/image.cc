#include "halfstep/io/image.h"

#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/io/codecs.h"
#include "halfstep/io/file.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

void fail_decode(const std::string& name, std::string_view format, std::string_view reason) {
  throw FormatError(name, std::string(format) + ": expected a valid image, received " +
                              quote(reason) + "; the file is damaged or cut short");
}

void require_size(std::int64_t width, std::int64_t height, const std::string& name) {
  if (width < 1 || height < 1 || width > kMaxImageSide || height > kMaxImageSide ||
      width * height > kMaxImagePixels) {
    throw FormatError(name, "size: expected sides of 1 to " + std::to_string(kMaxImageSide) +
                                " and at most " + std::to_string(kMaxImagePixels) +
                                " pixels, received " + std::to_string(width) + " x " +
                                std::to_string(height) + "; make the image smaller");
  }
}

Image decode_image(std::span<const std::byte> contents, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(contents.data()), contents.size());
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return decode_png(contents, name);
  if (text.starts_with("\xff\xd8\xff")) return decode_jpeg(contents, name);
  if (text.starts_with("RIFF") && text.size() >= 12 && text.substr(8, 4) == "WEBP") {
    return decode_webp(contents, name);
  }
  throw FormatError(name, "image: expected PNG, JPEG or WebP, received a file that begins with " +
                              quote(text.substr(0, 12)));
}

Image read_image(const std::filesystem::path& path) {
  return decode_image(read_bytes(path), path.string());
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file(path, encode_png(image));
}

}  // namespace halfstep::io
