// GIF, by giflib. Only the first frame is read.
#include <gif_lib.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/codecs.h"

namespace halfstep::io {
namespace {

int read_next(GifFileType* gif, GifByteType* to, int size) {
  auto& left = *static_cast<std::span<const std::byte>*>(gif->UserData);
  const std::size_t got = std::min(left.size(), static_cast<std::size_t>(std::max(size, 0)));
  std::memcpy(to, left.data(), got);
  left = left.subspan(got);
  return static_cast<int>(got);
}

class Reader {
 public:
  Reader(std::span<const std::byte> contents, const std::string& name)
      : left_(contents), name_(name) {
    int error = 0;
    gif_ = DGifOpen(&left_, read_next, &error);
    if (gif_ == nullptr) fail(error);
  }
  ~Reader() { DGifCloseFile(gif_, nullptr); }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  Image read() {
    find_frame();
    const GifImageDesc& frame = gif_->Image;
    const ColorMapObject* palette = frame.ColorMap != nullptr ? frame.ColorMap : gif_->SColorMap;
    if (palette == nullptr) fail_decode(name_, "gif", "no palette");
    // As other programs do, the canvas grows with a frame that is larger.
    const std::int64_t width =
        std::max<std::int64_t>(gif_->SWidth, std::int64_t{frame.Left} + frame.Width);
    const std::int64_t height =
        std::max<std::int64_t>(gif_->SHeight, std::int64_t{frame.Top} + frame.Height);
    require_size(width, height, name_);
    require_size(frame.Width, frame.Height, name_);
    indices_.assign(static_cast<std::size_t>(width * height),
                    static_cast<GifPixelType>(transparent_ >= 0 ? transparent_ : 0));
    for (const int y : rows(frame)) {
      GifPixelType* row = &indices_[static_cast<std::size_t>((frame.Top + y) * width + frame.Left)];
      if (DGifGetLine(gif_, row, frame.Width) != GIF_OK) fail(gif_->Error);
    }
    return coloured(*palette, static_cast<int>(width), static_cast<int>(height));
  }

 private:
  [[noreturn]] void fail(int error) const {
    const char* reason = GifErrorString(error);
    fail_decode(name_, "gif", reason != nullptr ? reason : "damaged data");
  }

  // Reads up to the first frame.
  void find_frame() {
    GifRecordType type = UNDEFINED_RECORD_TYPE;
    while (DGifGetRecordType(gif_, &type) == GIF_OK) {
      if (type == IMAGE_DESC_RECORD_TYPE) {
        if (DGifGetImageDesc(gif_) != GIF_OK) fail(gif_->Error);
        return;
      }
      if (type == TERMINATE_RECORD_TYPE) fail_decode(name_, "gif", "no image");
      skip_extension();
    }
    fail(gif_->Error);
  }

  // Skips an extension, but for the transparent colour.
  void skip_extension() {
    int code = 0;
    GifByteType* block = nullptr;
    int status = DGifGetExtension(gif_, &code, &block);
    while (status == GIF_OK && block != nullptr) {
      GraphicsControlBlock control;
      if (code == GRAPHICS_EXT_FUNC_CODE &&
          DGifExtensionToGCB(block[0], block + 1, &control) == GIF_OK) {
        transparent_ = control.TransparentColor;
      }
      status = DGifGetExtensionNext(gif_, &block);
    }
    if (status != GIF_OK) fail(gif_->Error);
  }

  // Returns the rows of a frame in the order of the file.
  static std::vector<int> rows(const GifImageDesc& frame) {
    constexpr std::array<std::pair<int, int>, 4> kPasses = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};
    std::vector<int> rows;
    for (const auto& [first, step] : kPasses) {
      if (frame.Interlace) {
        for (int y = first; y < frame.Height; y += step) rows.push_back(y);
      }
    }
    for (int y = 0; !frame.Interlace && y < frame.Height; ++y) rows.push_back(y);
    return rows;
  }

  // Returns the image; indices beyond the palette are black.
  Image coloured(const ColorMapObject& palette, int width, int height) const {
    std::array<std::uint8_t, 3 * 256> colours = {};
    const auto count = static_cast<std::size_t>(std::clamp(palette.ColorCount, 0, 256));
    for (std::size_t i = 0; i < count; ++i) {
      const GifColorType& colour = palette.Colors[i];
      std::ranges::copy(std::array{colour.Red, colour.Green, colour.Blue}, &colours[3 * i]);
    }
    Image image{width, height, is_grey(std::span(colours).first(3 * count)) ? 1 : 3, {}};
    image.pixels.reserve(indices_.size() * static_cast<std::size_t>(image.channels));
    for (const GifPixelType index : indices_) {
      const std::uint8_t* colour = &colours[std::size_t{3} * index];
      image.pixels.insert(image.pixels.end(), colour, colour + image.channels);
    }
    return image;
  }

  std::span<const std::byte> left_;
  const std::string& name_;
  GifFileType* gif_ = nullptr;
  int transparent_ = NO_TRANSPARENT_COLOR;
  std::vector<GifPixelType> indices_;  // of the canvas
};

}  // namespace

Image decode_gif(std::span<const std::byte> contents, const std::string& name) {
  return Reader(contents, name).read();
}

}  // namespace halfstep::io
