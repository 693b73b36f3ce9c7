// Arranges images in a grid.
#ifndef HALFSTEP_REPORT_IMAGE_GRID_H_
#define HALFSTEP_REPORT_IMAGE_GRID_H_

#include <cstdint>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/io/image.h"
#include "halfstep/model/model.h"

namespace halfstep::report {

// Arranges images, uint8 [N, C, H, W] with C = 1 or 3, in rows of `columns` (0: the square root of
// N, rounded up), separated by white lines one pixel wide. Throws ConfigError for a tensor of
// another rank or without images.
io::Image image_grid(const Tensor& images, int64_t columns = 0);

struct GridOptions {
  int64_t columns = 0;  // 0: the square root of N, rounded up
  int64_t scale = 1;    // 1 to kMostScale: every pixel becomes a square of this side
  // One per image, written below it in black on white, or none. Cells are as wide as the longest,
  // of which kLongestCaption characters are shown.
  std::vector<std::string> captions = {};
};

inline constexpr int64_t kMostScale = 64;
inline constexpr size_t kLongestCaption = 32;

// Arranges images as the other image_grid does, scaled and with captions. Throws ConfigError also
// for a scale out of range and for another number of captions.
io::Image image_grid(const Tensor& images, const GridOptions& options);

// Arranges what is known of images, the restored images and, unless they are undefined, the images
// themselves, each uint8 [N, C, H, W], side by side.
io::Image restored_grid(const ModelSpec& spec, const KnownImages& known, const Tensor& restored,
                        const Tensor& images, int64_t scale = 1);

// Converts one image, uint8 [C, H, W] with C = 1 or 3. Throws ConfigError for another rank.
io::Image to_image(const Tensor& pixels);

}  // namespace halfstep::report

#endif  // HALFSTEP_REPORT_IMAGE_GRID_H_
