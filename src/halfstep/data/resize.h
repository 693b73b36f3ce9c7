// Resizes and crops images. Pixel values are used as stored; no gamma is applied.
#ifndef HALFSTEP_DATA_RESIZE_H_
#define HALFSTEP_DATA_RESIZE_H_

#include "halfstep/io/image.h"

namespace halfstep::data {

// Resizes an image, each axis separately:
//   shrinking   Each pixel is the mean of the area it covers (box filter); partially covered pixels
//               are weighted by the covered share. Integer factors preserve the mean of the image.
//   enlarging   Bilinear interpolation between pixel centres; edge pixels are repeated outwards.
// The result is rounded to the nearest byte, halves up. Throws ConfigError for a side below 1 or
// above io::kMaxImageSide.
io::Image resize(const io::Image& image, int height, int width);

// Returns the square of `side` pixels in the middle. If the margins cannot be equal, the right and
// the bottom margin are one pixel larger. Throws ConfigError unless `side` is from 1 to the shorter
// side.
io::Image centre_crop(const io::Image& image, int side);

// Returns the largest centred square, resized to `side` pixels.
io::Image square(const io::Image& image, int side);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_RESIZE_H_
