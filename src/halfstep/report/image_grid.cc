#include "halfstep/report/image_grid.h"

#include <algorithm>
#include <cmath>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"
#include "halfstep/report/bitmap_font.h"

namespace halfstep::report {
namespace {

constexpr int64_t kMargin = 1;  // pixels around a line of text

// Writes `text` in black; its top left corner is at (top, left).
void write_text(Tensor& image, const std::string& text, int64_t top, int64_t left) {
  for (const char c : text) {
    for (int y = 0; y < kGlyphHeight; ++y) {
      for (int x = 0; x < kGlyphWidth; ++x) {
        if (glyph_pixel(c, x, y)) image.select(1, top + y).select(1, left + x).zero_();
      }
    }
    left += kGlyphWidth;
  }
}

// Returns the images [N, C, H, W], each with its caption below.
Tensor with_captions(const Tensor& images, const std::vector<std::string>& captions) {
  if (static_cast<int64_t>(captions.size()) != images.size(0)) {
    throw ConfigError("image_grid", "captions: expected " + std::to_string(images.size(0)) +
                                        ", received " + std::to_string(captions.size()));
  }
  std::vector<std::string> lines;
  size_t longest = 0;
  for (const std::string& caption : captions) {
    lines.push_back(as_glyphs(caption, kLongestCaption));
    longest = std::max(longest, lines.back().size());
  }
  const int64_t height = images.size(2);
  const int64_t text_width = static_cast<int64_t>(longest) * kGlyphWidth + 2 * kMargin;
  const int64_t width = std::max(images.size(3), text_width);
  Tensor cells =
      at::full({images.size(0), images.size(1), height + kGlyphHeight + 2 * kMargin, width}, 255,
               at::TensorOptions().dtype(at::kByte));
  cells.narrow(2, 0, height).narrow(3, 0, images.size(3)).copy_(images);
  for (size_t i = 0; i < lines.size(); ++i) {
    Tensor cell = cells[static_cast<int64_t>(i)];
    write_text(cell, lines[i], height + kMargin, kMargin);
  }
  return cells;
}

}  // namespace

io::Image to_image(const Tensor& pixels) {
  require_shape("to_image", "pixels", pixels, {-1, -1, -1});
  const Tensor hwc = pixels.permute({1, 2, 0}).to(at::kCPU, at::kByte).contiguous();
  const uint8_t* values = hwc.data_ptr<uint8_t>();
  return {.width = static_cast<int>(hwc.size(1)),
          .height = static_cast<int>(hwc.size(0)),
          .channels = static_cast<int>(hwc.size(2)),
          .pixels = std::vector<uint8_t>(values, values + hwc.numel())};
}

io::Image image_grid(const Tensor& images, const GridOptions& options) {
  require_shape("image_grid", "images", images, {-1, -1, -1, -1});
  if (options.scale < 1 || options.scale > kMostScale) {
    throw ConfigError("image_grid", "scale: expected 1 to " + std::to_string(kMostScale) +
                                        ", received " + std::to_string(options.scale));
  }
  const Tensor scaled =
      options.scale == 1
          ? images
          : images.repeat_interleave(options.scale, 2).repeat_interleave(options.scale, 3);
  if (options.captions.empty()) return image_grid(scaled, options.columns);
  return image_grid(with_captions(scaled, options.captions), options.columns);
}

io::Image image_grid(const Tensor& images, int64_t columns) {
  require_shape("image_grid", "images", images, {-1, -1, -1, -1});
  const int64_t count = images.size(0);
  if (count < 1) throw ConfigError("image_grid", "expected at least one image, received none");
  if (columns <= 0)
    columns = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
  const int64_t rows = (count + columns - 1) / columns;
  const int64_t height = images.size(2);
  const int64_t width = images.size(3);
  Tensor grid = at::full({images.size(1), rows * (height + 1) - 1, columns * (width + 1) - 1}, 255,
                         at::TensorOptions().dtype(at::kByte));
  for (int64_t i = 0; i < count; ++i) {
    grid.narrow(1, i / columns * (height + 1), height)
        .narrow(2, i % columns * (width + 1), width)
        .copy_(images[i]);
  }
  return to_image(grid);
}

io::Image restored_grid(const ModelSpec& spec, const KnownImages& known, const Tensor& restored,
                        const Tensor& images, int64_t scale) {
  const int64_t channels = restored.size(1);
  std::vector<Tensor> columns = {picture_of(spec.condition, known, channels), restored};
  if (images.defined()) columns.push_back(images);
  const auto width = static_cast<int64_t>(columns.size());
  const auto rows =
      static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(restored.size(0)))));
  return image_grid(at::stack(columns, /*dim=*/1).flatten(0, 1),
                    {.columns = width * rows, .scale = scale});
}

}  // namespace halfstep::report
