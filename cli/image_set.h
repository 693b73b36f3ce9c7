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

// Images to be measured, from wherever they are.
struct ImageSet {
  int64_t count = 0;
  std::vector<int64_t> shape;  // [C, H, W]
  // Images first to first + size - 1: uint8 [size, C, H, W].
  std::function<Tensor(int64_t first, int64_t size)> read;
};

// An .npz with arr_0, uint8 [N, H, W, C], or whatever --data takes. Throws as open_dataset, and
// FormatError for an .npz of something else.
ImageSet open_images(const std::filesystem::path& path, data::DatasetOptions::Split split);

// The images of an .npz that was read; `where` is its path, for messages.
ImageSet images_of_npz(const std::map<std::string, io::Array>& arrays, const std::string& where);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_IMAGE_SET_H_
