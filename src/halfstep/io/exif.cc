#include "halfstep/io/exif.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <utility>

namespace halfstep::io {
namespace {

// Reads the integers of a TIFF header; 0 beyond its end.
class TiffReader {
 public:
  explicit TiffReader(std::string_view bytes) : bytes_(bytes) {}

  std::uint32_t integer(std::size_t at, std::size_t size) const {
    if (at > bytes_.size() || size > bytes_.size() - at) return 0;
    std::uint32_t value = 0;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t place = bytes_[0] == 'M' ? at + i : at + size - 1 - i;
      value = value << 8 | static_cast<unsigned char>(bytes_[place]);
    }
    return value;
  }

 private:
  std::string_view bytes_;
};

}  // namespace

int exif_orientation(std::span<const std::byte> exif) {
  using namespace std::string_view_literals;
  std::string_view bytes(reinterpret_cast<const char*>(exif.data()), exif.size());
  if (bytes.starts_with("Exif\0\0"sv)) bytes.remove_prefix(6);
  constexpr std::uint32_t kTag = 0x0112, kShort = 3, kLong = 4;
  constexpr std::size_t kEntry = 12;
  const TiffReader tiff(bytes);
  if (!(bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv))) return 1;
  const std::size_t directory = tiff.integer(4, 4);
  const std::uint32_t count = tiff.integer(directory, 2);
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t entry = directory + 2 + i * kEntry;
    if (tiff.integer(entry, 2) != kTag) continue;
    const std::uint32_t type = tiff.integer(entry + 2, 2);
    const std::size_t size = type == kShort ? 2 : type == kLong ? 4 : 0;
    const std::uint32_t orientation = tiff.integer(entry + 8, size);
    return orientation >= 1 && orientation <= 8 ? static_cast<int>(orientation) : 1;
  }
  return 1;
}

Image upright(Image image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  const bool transposed = orientation >= 5;
  // Whether the stored columns and rows run from right to left and from bottom to top.
  const bool x_reversed =
      orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  const bool y_reversed =
      orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
  Image turned{image.width, image.height, image.channels, {}};
  if (transposed) std::swap(turned.width, turned.height);
  turned.pixels.resize(image.pixels.size());
  const auto channels = static_cast<std::size_t>(image.channels);
  std::uint8_t* to = turned.pixels.data();
  for (int y = 0; y < turned.height; ++y) {
    for (int x = 0; x < turned.width; ++x) {
      int from_x = transposed ? y : x, from_y = transposed ? x : y;
      if (x_reversed) from_x = image.width - 1 - from_x;
      if (y_reversed) from_y = image.height - 1 - from_y;
      const std::size_t from =
          (static_cast<std::size_t>(from_y) * static_cast<std::size_t>(image.width) +
           static_cast<std::size_t>(from_x)) *
          channels;
      to = std::copy_n(image.pixels.data() + from, channels, to);
    }
  }
  return turned;
}

}  // namespace halfstep::io
