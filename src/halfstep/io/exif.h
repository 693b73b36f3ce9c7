// The orientation that cameras store beside the pixels (Exif, tag 0x0112).
#ifndef HALFSTEP_IO_EXIF_H_
#define HALFSTEP_IO_EXIF_H_

#include <cstddef>
#include <span>

#include "halfstep/io/image.h"

namespace halfstep::io {

// Returns the orientation, 1 to 8, in Exif data, with or without "Exif\0\0" before the TIFF header.
// Returns 1, upright, if there is none, it is invalid, or the data are damaged.
int exif_orientation(std::span<const std::byte> exif);

// Returns the upright image. Orientation, as where the stored first row and first column belong:
//   1 top, left      2 top, right     3 bottom, right   4 bottom, left
//   5 left, top      6 right, top     7 right, bottom   8 left, bottom
// Other values are read as 1.
Image upright(Image image, int orientation);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_EXIF_H_
