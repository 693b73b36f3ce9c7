#include "cli/image_set.h"

#include <map>
#include <memory>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/io/npy.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::cli {
namespace {

namespace fs = std::filesystem;

ImageSet images_of_dataset(const fs::path& path, data::DatasetOptions::Split split) {
  const std::shared_ptr<const data::Dataset> dataset = data::open_dataset(path, {.split = split});
  const data::DatasetInfo& info = dataset->info();
  if (!info.images()) {
    throw ConfigError(path.string(),
                      "expected images, found float32 " + io::to_string(info.float32_shape));
  }
  return {.count = info.size,
          .shape = {info.channels, info.height, info.width},
          .read = [dataset](int64_t first, int64_t size) {
            const data::DatasetInfo& info = dataset->info();
            Tensor images = at::empty({size, info.channels, info.height, info.width},
                                      at::TensorOptions().dtype(at::kByte));
            const auto bytes = static_cast<size_t>(info.example_bytes());
            uint8_t* pixels = images.data_ptr<uint8_t>();
            for (int64_t i = 0; i < size; ++i)
              dataset->read(first + i, {pixels + static_cast<size_t>(i) * bytes, bytes});
            return images;
          }};
}

}  // namespace

ImageSet images_of_npz(const std::map<std::string, io::Array>& arrays, const std::string& where) {
  const auto found = arrays.find("arr_0");
  if (found == arrays.end())
    throw FormatError(where, "expected an array arr_0 of images, found none");
  const io::Array& array = found->second;
  const bool images = array.dtype == io::DType::u8 && array.shape.size() == 4 &&
                      array.shape[0] > 0 && (array.shape[3] == 1 || array.shape[3] == 3);
  if (!images) {
    throw FormatError(where, "arr_0: expected u8 [N, H, W, 1 or 3], found " +
                                 std::string(io::name_of(array.dtype)) + " " +
                                 io::to_string(array.shape));
  }
  const Tensor pixels = to_tensor(array.view()).permute({0, 3, 1, 2});
  return {.count = pixels.size(0),
          .shape = pixels.sizes().slice(1).vec(),
          .read = [pixels](int64_t first, int64_t size) { return pixels.narrow(0, first, size); }};
}

ImageSet open_images(const fs::path& path, data::DatasetOptions::Split split) {
  return path.extension() == ".npz" ? images_of_npz(io::read_npz(path), path.string())
                                    : images_of_dataset(path, split);
}

}  // namespace halfstep::cli
