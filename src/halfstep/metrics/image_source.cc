#include "halfstep/metrics/image_source.h"

#include <ATen/Functions.h>

#include <numeric>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/io/npy.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::metrics {

namespace fs = std::filesystem;

ImageSource images_of_dataset(std::shared_ptr<const data::Dataset> dataset) {
  const data::DatasetInfo& info = dataset->info();
  if (!info.holds_images()) {
    throw ConfigError(info.name, "expected a data set of images, received float32 examples " +
                                     io::to_string(info.float32_shape));
  }
  return {.count = info.size,
          .shape = {info.channels, info.height, info.width},
          .read = [dataset = std::move(dataset)](int64_t first, int64_t size) {
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

ImageSource images_of_npz(const std::map<std::string, io::Array>& arrays,
                          const std::string& where) {
  const auto found = arrays.find("arr_0");
  if (found == arrays.end())
    throw FormatError(where, "expected images in an array arr_0, received none");
  const io::Array& array = found->second;
  const bool images = array.dtype == io::DType::u8 && array.shape.size() == 4 &&
                      array.shape[0] > 0 && (array.shape[3] == 1 || array.shape[3] == 3);
  if (!images) {
    throw FormatError(where, "arr_0: expected u8 [N, H, W, 1 or 3], received " +
                                 std::string(io::name_of(array.dtype)) + " " +
                                 io::to_string(array.shape));
  }
  const Tensor pixels = to_tensor(array.view()).permute({0, 3, 1, 2});
  return {.count = pixels.size(0),
          .shape = pixels.sizes().slice(1).vec(),
          .read = [pixels](int64_t first, int64_t size) { return pixels.narrow(0, first, size); }};
}

ImageSource open_images(const fs::path& path, data::DatasetOptions::Split split) {
  return path.extension() == ".npz" ? images_of_npz(io::read_npz(path), path.string())
                                    : images_of_dataset(data::open_dataset(path, {.split = split}));
}

ImageSource images_of_model(const Model& model, const GenerateOptions& options, int64_t count,
                            uint64_t first_seed) {
  const std::vector<int64_t> shape = input_shape(model.spec().network);
  if (!is_image(model.spec().network)) {
    throw ConfigError(
        "evaluate", "expected a model of images, received one of examples " + io::to_string(shape));
  }
  validate(options, model.spec());
  return {.count = count,
          .shape = shape,
          .batch = options.batch,
          .read = [&model, options, first_seed](int64_t first, int64_t size) {
            std::vector<uint64_t> seeds(static_cast<size_t>(size));
            std::iota(seeds.begin(), seeds.end(), first_seed + static_cast<uint64_t>(first));
            return generate(model, seeds, options).images;
          }};
}

}  // namespace halfstep::metrics
