#include "halfstep/metrics/known_images.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/image.h"
#include "halfstep/io/random_access.h"
#include "halfstep/metrics/image_source.h"
#include "halfstep/model/tensor_io.h"

namespace halfstep::metrics {
namespace {

namespace fs = std::filesystem;

bool is_image_file(const fs::path& path) {
  if (!fs::is_regular_file(path)) return false;
  const io::RandomAccessFile file(path);
  std::vector<std::byte> beginning(std::min<uint64_t>(file.size(), io::kImageSignature));
  file.read_at(0, beginning);
  return io::begins_as_image(beginning);
}

// Returns the image of a file, or all images of a set: uint8 [N, C, H, W].
Tensor read_images(const fs::path& path) {
  if (!is_image_file(path)) {
    const ImageSource images = open_images(path);
    return images.read(0, images.count).contiguous();
  }
  return to_tensor(io::read_image(path));
}

// Returns one image per seed.
Tensor one_per_seed(const Tensor& images, size_t seeds, const std::string& name) {
  const auto count = static_cast<int64_t>(seeds);
  if (images.size(0) == count) return images;
  if (images.size(0) == 1) return images.expand({count, -1, -1, -1});
  throw ConfigError(name, "expected one image, or one for each of " + std::to_string(count) +
                              " seeds, received " + std::to_string(images.size(0)));
}

void require_images_of(const Tensor& images, const std::string& name) {
  if (images.dim() == 4 && images.scalar_type() == at::kByte) return;
  throw ConfigError(name, std::string("expected images, uint8 [N, C, H, W], received ") +
                              at::toString(images.scalar_type()) + " " + c10::str(images.sizes()));
}

}  // namespace

KnownImages known_images(const ModelSpec& spec, const KnownImagesInput& given,
                         std::vector<uint64_t>& seeds) {
  const ImageCondition& condition = spec.condition;
  const bool fills_in = condition.kind == ImageCondition::Kind::inpainting;
  const bool has_mask = given.masks.defined();
  if (!condition.is_on()) {
    throw ConfigError(given.name,
                      "expected a model that restores images, received one that does not");
  }
  if (fills_in && !has_mask && !given.degrade) {
    throw ConfigError(given.name,
                      "expected a mask, because the model is for inpainting, received none");
  }
  if (has_mask && (!fills_in || given.degrade)) {
    throw ConfigError(given.mask_name,
                      std::string("expected no mask, because ") +
                          (fills_in ? "masks are drawn" : "the model is not for inpainting") +
                          ", received one");
  }
  require_images_of(given.images, given.name);
  if (seeds.empty()) {
    seeds.resize(static_cast<size_t>(given.images.size(0)));
    std::iota(seeds.begin(), seeds.end(), uint64_t{0});
  }
  const Tensor inputs = one_per_seed(given.images, seeds.size(), given.name);
  const bool is_colour = condition.kind == ImageCondition::Kind::colour && inputs.size(1) == 3;
  if (given.degrade || is_colour) return known_for(spec, inputs, seeds);
  KnownImages known{.pixels = inputs, .mask = {}};
  if (has_mask) {
    require_images_of(given.masks, given.mask_name);
    known.mask = is_known(one_per_seed(given.masks, seeds.size(), given.mask_name));
  }
  size_of(condition, known, input_shape(spec.network)[0]);
  return known;
}

KnownImages read_known(const ModelSpec& spec, const KnownImagesOptions& options,
                       std::vector<uint64_t>& seeds) {
  KnownImagesInput given{.images = read_images(options.input),
                         .degrade = options.degrade,
                         .name = options.input.string()};
  if (options.mask) {
    given.masks = read_images(*options.mask);
    given.mask_name = options.mask->string();
  }
  return known_images(spec, given, seeds);
}

}  // namespace halfstep::metrics
