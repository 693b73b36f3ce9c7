#ifndef HALFSTEP_METRICS_KNOWN_IMAGES_H_
#define HALFSTEP_METRICS_KNOWN_IMAGES_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "halfstep/model/generate.h"

namespace halfstep::metrics {

// Images that a model is to restore, in memory.
struct KnownImagesInput {
  // uint8 [N, C, H, W]: images of low resolution, images to fill in, or grey images. Colour images
  // count as grey ones for models that colour.
  Tensor images;
  // Inpainting: uint8 [N, C, H, W]. Pixels of at least half the largest level (white) are filled
  // in, as in diffusers; the others are known.
  Tensor masks = {};
  // The images are whole; the model is given what it was in training.
  bool degrade = false;
  std::string name = "input";  // of the images, for messages
  std::string mask_name = "mask";
};

// Returns what is known of one image per seed; a single image or mask is taken for every seed.
// `seeds` empty: the seeds 0, 1, ... for all images, which are written to it. Throws ConfigError if
// the model restores nothing, if there is another number of images or masks, or if they do not fit
// the model and each other.
KnownImages known_images(const ModelSpec& spec, const KnownImagesInput& given,
                         std::vector<uint64_t>& seeds);

// Where to read the same from.
struct KnownImagesOptions {
  std::filesystem::path input;  // an image file, or a set that open_images() reads
  std::optional<std::filesystem::path> mask = std::nullopt;  // the same
  bool degrade = false;
};

// Reads images and masks, and returns known_images(). Throws as that, open_images() and
// io::read_image() do.
KnownImages read_known(const ModelSpec& spec, const KnownImagesOptions& options,
                       std::vector<uint64_t>& seeds);

}  // namespace halfstep::metrics

#endif  // HALFSTEP_METRICS_KNOWN_IMAGES_H_
