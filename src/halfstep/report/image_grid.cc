#include "halfstep/report/image_grid.h"

#include <cmath>

#include "halfstep/core/error.h"
#include "halfstep/core/shape.h"

namespace halfstep::report {

io::Image to_image(const Tensor& pixels) {
  require_shape("to_image", "pixels", pixels, {-1, -1, -1});
  const Tensor hwc = pixels.permute({1, 2, 0}).to(at::kCPU, at::kByte).contiguous();
  const uint8_t* values = hwc.data_ptr<uint8_t>();
  return {.width = static_cast<int>(hwc.size(1)),
          .height = static_cast<int>(hwc.size(0)),
          .channels = static_cast<int>(hwc.size(2)),
          .pixels = std::vector<uint8_t>(values, values + hwc.numel())};
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

}  // namespace halfstep::report
