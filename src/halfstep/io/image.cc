#include "halfstep/io/image.h"

#include <string_view>

#include "halfstep/core/error.h"
#include "halfstep/core/luma.h"
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

namespace {

using Decode = Image (*)(std::span<const std::byte>, const std::string&);

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Returns the decoder of a file that begins with `text`, or null.
Decode decoder_of(std::string_view text) {
  using namespace std::string_view_literals;
  if (text.starts_with("\x89PNG\r\n\x1a\n")) return decode_png;
  if (text.starts_with("\xff\xd8\xff")) return decode_jpeg;
  if (text.starts_with("RIFF") && text.size() >= 12 && text.substr(8, 4) == "WEBP")
    return decode_webp;
  if (text.starts_with("GIF87a") || text.starts_with("GIF89a")) return decode_gif;
  if (text.starts_with("BM") && text.size() >= 10 && text.substr(6, 4) == "\0\0\0\0"sv)
    return decode_bmp;
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv}) {  // +: BigTIFF
    if (text.starts_with(magic)) return decode_tiff;
  }
  return nullptr;
}

}  // namespace

bool is_grey(std::span<const std::uint8_t> palette) {
  for (std::size_t i = 0; i + 2 < palette.size(); i += 3) {
    if (palette[i] != palette[i + 1] || palette[i] != palette[i + 2]) return false;
  }
  return true;
}

bool begins_as_image(std::span<const std::byte> beginning) {
  return decoder_of(text_of(beginning)) != nullptr;
}

Image grey(Image image) {
  if (image.channels == 1) return image;
  const std::size_t pixels = image.pixels.size() / 3;
  for (std::size_t i = 0; i < pixels; ++i) {
    const std::uint8_t* const rgb = &image.pixels[3 * i];
    image.pixels[i] = Luma::of(rgb[0], rgb[1], rgb[2]);
  }
  image.pixels.resize(pixels);
  image.channels = 1;
  return image;
}

Image decode_image(std::span<const std::byte> contents, const std::string& name) {
  if (const Decode decode = decoder_of(text_of(contents))) return decode(contents, name);
  throw FormatError(name,
                    "image: expected PNG, JPEG, WebP, GIF, TIFF or BMP, received a file that "
                    "begins with " +
                        quote(text_of(contents).substr(0, kImageSignature)));
}

Image read_image(const std::filesystem::path& path) {
  return decode_image(read_bytes(path), path.string());
}

void write_png(const std::filesystem::path& path, const Image& image) {
  write_file(path, encode_png(image));
}

}  // namespace halfstep::io
