// Arranges images in a grid.
#ifndef HALFSTEP_REPORT_IMAGE_GRID_H_
#define HALFSTEP_REPORT_IMAGE_GRID_H_

#include <cstdint>

#include "halfstep/core/tensor.h"
#include "halfstep/io/image.h"

namespace halfstep::report {

// Arranges images, uint8 [N, C, H, W] with C = 1 or 3, in rows of `columns` (0: the square root of
// N, rounded up), separated by white lines one pixel wide. Throws ConfigError for a tensor of
// another rank or without images.
io::Image image_grid(const Tensor& images, int64_t columns = 0);

// Converts one image, uint8 [C, H, W] with C = 1 or 3. Throws ConfigError for another rank.
io::Image to_image(const Tensor& pixels);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_IMAGE_GRID_H_
