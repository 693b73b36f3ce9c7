// Sets of images to evaluate: from files, from data sets, or drawn from a model.
#ifndef HALFSTEP_METRICS_IMAGE_SOURCE_H_
#define HALFSTEP_METRICS_IMAGE_SOURCE_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/core/tensor.h"
#include "halfstep/data/dataset.h"
#include "halfstep/io/array.h"
#include "halfstep/model/generate.h"

namespace halfstep::metrics {

// A numbered set of images. `read` may be called in any order and in several processes.
struct ImageSource {
  int64_t count = 0;
  std::vector<int64_t> shape;                 // [C, H, W]
  int64_t batch = 250;                        // number of images to read per call
  std::vector<std::string> class_names = {};  // of the data set, or empty
  // Labels are from 0 to num_classes - 1. 0: there are none; nullopt: the number is not known.
  std::optional<int64_t> num_classes = 0;
  // Returns what the images are, such as the hash of their data. Processes that share the work
  // compare it.
  std::function<nlohmann::json()> identity;
  // Returns images first to first + size - 1: uint8 [size, C, H, W].
  std::function<Tensor(int64_t first, int64_t size)> read;
  // Returns the classes of these images, int64 [size]. Called only if num_classes is not 0.
  std::function<Tensor(int64_t first, int64_t size)> labels = {};
};

// The images of a data set. Throws ConfigError if its examples are not images.
ImageSource images_of_dataset(std::shared_ptr<const data::Dataset> dataset);

// The images of an .npz file that was read from `where`: array arr_0, uint8 [N, H, W, 1 or 3].
// Their labels are arr_1, if that is integers [N], as `halfstep sample --npz` writes them. With
// `image_size`, each is cropped and resized as DatasetOptions::image_size says. Throws FormatError
// if there is no such array.
ImageSource images_of_npz(const std::map<std::string, io::Array>& arrays, const std::string& where,
                          std::optional<int64_t> image_size = std::nullopt);

// Opens an .npz file of images, or any data set that data::open_dataset reads. Throws as those do.
ImageSource open_images(const std::filesystem::path& path,
                        const data::DatasetOptions& options = {});

// Returns `count` of the images in their order, chosen at random by the seed (core/random.h,
// Permutation); all of them if there are no more. Sets are often sorted by class, so that their
// first images are of a few classes only.
ImageSource random_subset(ImageSource images, int64_t count, uint64_t seed);

// Returns the number of classes that the images of a model are conditioned on: 0 if it has none, or
// if all are of the null class.
int64_t num_conditioned_classes(const ModelSpec& spec, const GenerateOptions& options);

// Throws ConfigError unless a model produces images of one or three channels.
void require_images(const ModelSpec& spec);

// Throws ConfigError unless there are originals of a shape for `count` images to be restored.
void require_originals(const std::optional<ImageSource>& originals,
                       const std::vector<int64_t>& shape, int64_t count);

// Images drawn from a model for seeds first_seed to first_seed + count - 1, options.batch at a
// time. A model that restores images is given what is known of the first `count` of `originals`.
// The source refers to `model`, which must outlive it. Throws ConfigError if the model does not
// produce images or if the options do not fit it, and as require_originals().
ImageSource images_of_model(const Model& model, const GenerateOptions& options, int64_t count,
                            uint64_t first_seed,
                            const std::optional<ImageSource>& originals = std::nullopt);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_IMAGE_SOURCE_H_
