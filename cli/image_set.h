#ifndef HALFSTEP_CLI_IMAGE_SET_H_
#define HALFSTEP_CLI_IMAGE_SET_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/data/dataset.h"
#include "halfstep/io/array.h"

namespace halfstep::cli {

// A set of images in a file or a data set.
struct ImageSet {
  int64_t count = 0;
  std::vector<int64_t> shape;  // [C, H, W]
  // Returns images first to first + size - 1: uint8 [size, C, H, W].
  std::function<Tensor(int64_t first, int64_t size)> read;
};

// Opens an .npz with images in arr_0, uint8 [N, H, W, C], or any data set that --data takes. Throws
// FormatError for an .npz of anything else, ConfigError for a data set of non-image data, and what
// open_dataset throws.
ImageSet open_images(const std::filesystem::path& path, data::DatasetOptions::Split split);

// Returns the images of an .npz that was read from `where`.
ImageSet images_of_npz(const std::map<std::string, io::Array>& arrays, const std::string& where);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_IMAGE_SET_H_
