// Changing the size of images, on the bytes as they are (no gamma).
#ifndef HALFSTEP_DATA_RESIZE_H_
#define HALFSTEP_DATA_RESIZE_H_

#include "halfstep/io/image.h"

namespace halfstep::data {

// Each axis on its own:
//   shrinking   a pixel is the mean of the area it covers (box filter), edge pixels by the share
//   that lies inside, so a whole
//               factor keeps the image's mean;
//   enlarging   bilinear between pixel centres, the edge pixels repeated outwards.
// The result is rounded to the nearest byte, halves up. Throws ConfigError for a size below 1 or
// above io::kMaxImageSide.
io::Image resize(const io::Image& image, int height, int width);

// The square of `side` pixels in the middle, the odd pixel going to the right and the bottom.
// Throws ConfigError unless it fits.
io::Image centre_crop(const io::Image& image, int side);

// The largest centred square, resized to `side` pixels.
io::Image square(const io::Image& image, int side);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_RESIZE_H_
