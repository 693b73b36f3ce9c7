// BMP, uncompressed: 1, 4 and 8 bits with a palette, 16, 24 and 32 bits. Debian has no library for
// it that is written for hostile files.
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/codecs.h"

namespace halfstep::io {
namespace {

constexpr std::size_t kFileHeader = 14;

struct Header {
  std::uint32_t size = 0;  // of the header after the file header
  std::int64_t width = 0;
  std::int64_t height = 0;  // above 0
  bool top_down = false;    // the first row stored is the top one
  unsigned bits = 0;        // per pixel
  std::uint32_t compression = 0;
  std::uint64_t colours = 0;  // in the palette
  std::uint64_t pixels = 0;   // where they begin in the file
};

class Reader {
 public:
  Reader(std::span<const std::byte> file, const std::string& name) : file_(file), name_(name) {}

  Image read() {
    read_header();
    require_size(header_.width, header_.height, name_);
    const std::uint64_t bits = static_cast<std::uint64_t>(header_.width) * header_.bits;
    const std::uint64_t row = (bits + 31) / 32 * 4;
    const auto height = static_cast<std::uint64_t>(header_.height);
    if (header_.pixels > file_.size() || row * height > file_.size() - header_.pixels) {
      fail("fewer pixels than its size says");
    }
    if (header_.bits <= 8) {
      read_palette();
    } else {
      read_masks();
    }
    const int channels = header_.bits <= 8 && is_grey(palette_) ? 1 : 3;
    Image image{static_cast<int>(header_.width), static_cast<int>(header_.height), channels, {}};
    image.pixels.reserve(static_cast<std::size_t>(header_.width * header_.height * channels));
    for (std::uint64_t y = 0; y < height; ++y) {
      const std::uint64_t stored = header_.top_down ? y : height - 1 - y;
      read_row(header_.pixels + stored * row, image);
    }
    return image;
  }

 private:
  [[noreturn]] void fail(std::string_view reason) const { fail_decode(name_, "bmp", reason); }

  std::uint32_t integer(std::uint64_t at, std::size_t size) const {
    if (at > file_.size() || size > file_.size() - at) fail("the end of the file");
    std::uint32_t value = 0;
    for (std::size_t i = size; i > 0; --i)
      value = value << 8 | std::to_integer<std::uint32_t>(file_[at + i - 1]);
    return value;
  }

  void read_header() {
    Header& h = header_;
    h.pixels = integer(10, 4);
    h.size = integer(kFileHeader, 4);
    if (h.size == 12) {  // OS/2
      h.width = integer(18, 2);
      h.height = integer(20, 2);
      h.bits = integer(24, 2);
    } else if (h.size >= 40) {
      h.width = static_cast<std::int32_t>(integer(18, 4));
      const auto height = std::int64_t{static_cast<std::int32_t>(integer(22, 4))};
      h.top_down = height < 0;
      h.height = std::abs(height);
      h.bits = integer(28, 2);
      h.compression = integer(30, 4);
      h.colours = integer(46, 4);
    } else {
      fail("an unknown header");
    }
    constexpr std::array kDepths = {1u, 4u, 8u, 16u, 24u, 32u};
    if (std::ranges::find(kDepths, h.bits) == kDepths.end()) fail("an unknown number of bits");
    constexpr std::uint32_t kRgb = 0, kBitFields = 3, kAlphaBitFields = 6;
    has_masks_ = (h.compression == kBitFields || h.compression == kAlphaBitFields) && h.bits >= 16;
    if (h.compression != kRgb && !has_masks_) {
      throw FormatError(name_,
                        "bmp: expected an uncompressed image, received a compressed one; save it "
                        "as PNG");
    }
    const std::uint64_t most = h.bits <= 8 ? std::uint64_t{1} << h.bits : 0;
    h.colours = h.colours == 0 ? most : std::min(h.colours, most);
  }

  // Sets palette_ to RGB; colours beyond its end are black.
  void read_palette() {
    const std::uint64_t entry = header_.size == 12 ? 3 : 4, begin = kFileHeader + header_.size;
    palette_.assign(std::size_t{3} << header_.bits, 0);
    for (std::uint64_t i = 0; i < header_.colours && begin + (i + 1) * entry <= header_.pixels;
         ++i) {
      const std::uint32_t bgr = integer(begin + i * entry, 3);
      for (unsigned c = 0; c < 3; ++c)
        palette_[3 * i + c] = static_cast<std::uint8_t>(bgr >> (16 - 8 * c));
    }
  }

  void read_masks() {
    masks_ = header_.bits == 16 ? std::array{0x7c00u, 0x03e0u, 0x001fu}
                                : std::array{0xff0000u, 0x00ff00u, 0x0000ffu};
    for (unsigned c = 0; has_masks_ && c < 3; ++c) masks_[c] = integer(54 + 4 * c, 4);
  }

  void read_row(std::uint64_t at, Image& image) const {
    const unsigned bits = header_.bits;
    for (std::uint64_t x = 0; x < static_cast<std::uint64_t>(image.width); ++x) {
      if (bits <= 8) {
        const std::uint32_t byte = integer(at + x * bits / 8, 1);
        const auto shift = static_cast<unsigned>(8 - bits - x * bits % 8);
        const std::uint32_t index = byte >> shift & ((1u << bits) - 1);
        const std::uint8_t* colour = &palette_[3 * index];
        image.pixels.insert(image.pixels.end(), colour, colour + image.channels);
      } else {
        const std::uint32_t pixel = integer(at + x * bits / 8, bits / 8);
        for (const std::uint32_t mask : masks_) image.pixels.push_back(scaled(pixel, mask));
      }
    }
  }

  // Returns the bits of `mask` in `pixel`, as a number from 0 to 255.
  static std::uint8_t scaled(std::uint32_t pixel, std::uint32_t mask) {
    if (mask == 0) return 0;
    const int shift = std::countr_zero(mask);
    const std::uint64_t value = (pixel & mask) >> shift, most = mask >> shift;
    return static_cast<std::uint8_t>((value * 255 + most / 2) / most);
  }

  std::span<const std::byte> file_;
  const std::string& name_;
  Header header_;
  bool has_masks_ = false;  // in the file
  std::vector<std::uint8_t> palette_;
  std::array<std::uint32_t, 3> masks_ = {};
};

}  // namespace

Image decode_bmp(std::span<const std::byte> contents, const std::string& name) {
  return Reader(contents, name).read();
}

}  // namespace halfstep::io
