// Random masks for inpainting. LibTorch-free.
#ifndef HALFSTEP_CONDITIONING_MASK_H_
#define HALFSTEP_CONDITIONING_MASK_H_

#include <cstdint>
#include <span>

#include "halfstep/core/random.h"

namespace halfstep {

// Draws which pixels of an image are known: 1 for known and 0 for missing pixels, in `known`
// [height * width], row by row. With S = min(height, width), what is missing is, each with
// probability 1/2,
//   a box         whose sides are S / 4 to 5 S / 8, anywhere inside the image;
//   1 to 4 strokes  of 2 to 4 straight segments, whose width is S / 8 to S / 4 and whose segments
//                 reach up to S / 2 along each axis.
// It is computed with integers, so the same key gives the same mask on every machine. Uses the key
// for one call. Throws ConfigError unless `known` has height * width elements and both sizes are
// from 1 to 65,536.
void keyed_mask(const RandomKey& key, int64_t height, int64_t width, std::span<uint8_t> known);

}  // namespace halfstep

#endif  // HALFSTEP_CONDITIONING_MASK_H_
