// Pictures of samples side by side.
#ifndef HALFSTEP_REPORT_IMAGE_GRID_H_
#define HALFSTEP_REPORT_IMAGE_GRID_H_

#include <cstdint>

#include "halfstep/core/tensor.h"
#include "halfstep/io/image.h"

namespace halfstep::report {

// Images uint8 [N, C, H, W] in rows of `columns` (0: the square root of N, rounded up), a pixel of
// white between them.
io::Image image_grid(const Tensor& images, int64_t columns = 0);

// One image of uint8 [C, H, W].
io::Image to_image(const Tensor& pixels);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_IMAGE_GRID_H_
