#include "halfstep/metrics/image_source.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <numeric>
#include <tuple>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/open_dataset.h"
#include "halfstep/data/resize.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/image.h"
#include "halfstep/io/npy.h"
#include "halfstep/metrics/random_order.h"
#include "halfstep/model/sampling_identity.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::metrics {

namespace fs = std::filesystem;

namespace {

const auto kBytes = at::TensorOptions().dtype(at::kByte);

// Crops and resizes images: uint8 [N, H, W, C] -> [N, side, side, C].
Tensor squares(const Tensor& images, int64_t side) {
  const int64_t channels = images.size(3);
  Tensor made = at::empty({images.size(0), side, side, channels}, kBytes);
  for (int64_t i = 0; i < images.size(0); ++i) {
    const Tensor pixels = images[i].contiguous();
    const uint8_t* values = pixels.data_ptr<uint8_t>();
    const io::Image image = data::square({.width = static_cast<int>(pixels.size(1)),
                                          .height = static_cast<int>(pixels.size(0)),
                                          .channels = static_cast<int>(channels),
                                          .pixels = {values, values + pixels.numel()}},
                                         static_cast<int>(side));
    std::ranges::copy(image.pixels, made[i].data_ptr<uint8_t>());
  }
  return made;
}

bool are_images(const io::Array& array) {
  const auto is_side = [](int64_t size) { return size >= 1 && size <= io::kMaxImageSide; };
  return array.dtype == io::DType::u8 && array.shape.size() == 4 && array.shape[0] > 0 &&
         is_side(array.shape[1]) && is_side(array.shape[2]) &&
         (array.shape[3] == 1 || array.shape[3] == 3);
}

// Returns a function that returns the values of `read` for the images order[first], ...
std::function<Tensor(int64_t, int64_t)> chosen(const Tensor& order,
                                               std::function<Tensor(int64_t, int64_t)> read) {
  return [order, read = std::move(read)](int64_t first, int64_t size) {
    const int64_t* index = order.data_ptr<int64_t>() + first;
    std::vector<Tensor> parts;
    for (int64_t i = 0; i < size;) {
      int64_t run = 1;  // images that follow each other are read together
      while (i + run < size && index[i + run] == index[i] + run) ++run;
      parts.push_back(read(index[i], run));
      i += run;
    }
    return at::cat(parts);
  };
}

// Returns the seeds of images first to first + size - 1.
std::vector<uint64_t> seeds_from(uint64_t first_seed, int64_t first, int64_t size) {
  std::vector<uint64_t> seeds(static_cast<size_t>(size));
  std::iota(seeds.begin(), seeds.end(), first_seed + static_cast<uint64_t>(first));
  return seeds;
}

// Returns the labels in an .npz file, int64 [count]; undefined if it has none.
Tensor labels_of_npz(const std::map<std::string, io::Array>& arrays, int64_t count) {
  const auto found = arrays.find("arr_1");
  if (found == arrays.end()) return {};
  const Tensor labels = to_tensor(found->second.view());
  const bool fits = at::isIntegralType(labels.scalar_type(), /*includeBool=*/false) &&
                    labels.dim() == 1 && labels.size(0) == count;
  return fits ? labels.to(at::kLong) : Tensor();
}

}  // namespace

ImageSource images_of_dataset(std::shared_ptr<const data::Dataset> dataset) {
  const data::DatasetInfo& info = dataset->info();
  if (!info.holds_images()) {
    throw ConfigError(info.name, "expected a data set of images, received float32 examples " +
                                     io::to_string(info.float32_shape));
  }
  return {.count = info.size,
          .shape = {info.channels, info.height, info.width},
          .class_names = info.class_names,
          .num_classes = info.num_classes,
          .identity = [dataset] { return nlohmann::json(dataset->fingerprint()); },
          .read =
              [dataset](int64_t first, int64_t size) {
                const data::DatasetInfo& info = dataset->info();
                Tensor images = at::empty({size, info.channels, info.height, info.width}, kBytes);
                const auto bytes = static_cast<size_t>(info.example_bytes());
                uint8_t* pixels = images.data_ptr<uint8_t>();
                for (int64_t i = 0; i < size; ++i)
                  dataset->read(first + i, {pixels + static_cast<size_t>(i) * bytes, bytes});
                return images;
              },
          .labels =
              [dataset](int64_t first, int64_t size) {
                std::vector<uint8_t> unused(static_cast<size_t>(dataset->info().example_bytes()));
                Tensor labels = at::empty({size}, at::TensorOptions().dtype(at::kLong));
                int64_t* values = labels.data_ptr<int64_t>();
                for (int64_t i = 0; i < size; ++i) values[i] = dataset->read(first + i, unused);
                return labels;
              }};
}

ImageSource images_of_npz(const std::map<std::string, io::Array>& arrays, const std::string& where,
                          std::optional<int64_t> image_size) {
  data::validate({.image_size = image_size});
  const auto found = arrays.find("arr_0");
  if (found == arrays.end())
    throw FormatError(where, "expected images in an array arr_0, received none");
  const io::Array& array = found->second;
  if (!are_images(array)) {
    throw FormatError(where, "arr_0: expected u8 [N, H, W, 1 or 3], received " +
                                 std::string(io::name_of(array.dtype)) + " " +
                                 io::to_string(array.shape));
  }
  const Tensor pixels = to_tensor(array.view());
  std::vector<int64_t> shape = {pixels.size(3), pixels.size(1), pixels.size(2)};
  const bool resize = image_size && (shape[1] != *image_size || shape[2] != *image_size);
  if (resize) shape[1] = shape[2] = *image_size;
  const Tensor labels = labels_of_npz(arrays, pixels.size(0));
  return {
      .count = pixels.size(0),
      .shape = std::move(shape),
      .num_classes = labels.defined() ? std::nullopt : std::optional<int64_t>(0),
      .identity =
          [pixels] { return nlohmann::json(io::sha256_hex(to_array(pixels).view().bytes)); },
      .read =
          [pixels, side = resize ? *image_size : 0](int64_t first, int64_t size) {
            const Tensor some = pixels.narrow(0, first, size);
            return (side > 0 ? squares(some, side) : some).permute({0, 3, 1, 2});
          },
      .labels = [labels](int64_t first, int64_t size) { return labels.narrow(0, first, size); }};
}

ImageSource open_images(const fs::path& path, const data::DatasetOptions& options) {
  if (path.extension() != ".npz") return images_of_dataset(data::open_dataset(path, options));
  return images_of_npz(io::read_npz(path), path.string(), options.image_size);
}

ImageSource random_subset(ImageSource images, int64_t count, uint64_t seed) {
  if (count >= images.count) return images;
  const Tensor order = std::get<0>(random_order(images.count, seed, 0, count).sort());
  ImageSource subset = images;
  subset.count = count;
  subset.read = chosen(order, std::move(images.read));
  subset.labels = chosen(order, std::move(images.labels));
  return subset;
}

int64_t num_conditioned_classes(const ModelSpec& spec, const GenerateOptions& options) {
  const int64_t classes = num_classes(spec.network);
  return classes < 2 || options.class_label == kNullLabel ? 0 : classes;
}

void require_images(const ModelSpec& spec) {
  if (is_image(spec.network)) return;
  throw ConfigError("evaluate", "expected a model of images, received one of examples " +
                                    io::to_string(input_shape(spec.network)));
}

void require_originals(const std::optional<ImageSource>& originals,
                       const std::vector<int64_t>& shape, int64_t count) {
  const std::string expected = "originals: expected at least " + std::to_string(count) +
                               " images of " + io::to_string(shape) + " to restore, received ";
  if (!originals) throw ConfigError("evaluate", expected + "none");
  if (originals->count >= count && originals->shape == shape) return;
  throw ConfigError("evaluate", expected + std::to_string(originals->count) + " of " +
                                    io::to_string(originals->shape));
}

ImageSource images_of_model(const Model& model, const GenerateOptions& options, int64_t count,
                            uint64_t first_seed, const std::optional<ImageSource>& originals) {
  require_images(model.spec());
  const std::vector<int64_t> shape = input_shape(model.spec().network);
  validate(options, model.spec());
  const bool restores = model.spec().condition.is_on();
  if (restores) require_originals(originals, shape, count);
  return {.count = count,
          .shape = shape,
          .batch = options.batch,
          .num_classes = num_conditioned_classes(model.spec(), options),
          .identity =
              [&model, options, first_seed, restores, originals] {
                nlohmann::json identity{{"first_seed", first_seed},
                                        {"samples", sampling_identity(model, options)}};
                if (restores) identity["originals"] = originals->identity();
                return identity;
              },
          .read =
              [&model, options, first_seed, restores, originals](int64_t first, int64_t size) {
                const std::vector<uint64_t> seeds = seeds_from(first_seed, first, size);
                GenerateOptions of_batch = options;
                if (restores)
                  of_batch.known = known_for(model.spec(), originals->read(first, size), seeds);
                return generate(model, seeds, of_batch).images;
              },
          .labels =
              [&model, options, first_seed](int64_t first, int64_t size) {
                return labels_for(model.spec(), options, seeds_from(first_seed, first, size));
              }};
}

}  // namespace halfstep::metrics
