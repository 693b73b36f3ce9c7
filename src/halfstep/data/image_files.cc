#include "halfstep/data/image_files.h"

#include <algorithm>
#include <span>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/resize.h"
#include "halfstep/io/hash.h"

namespace halfstep::data {

ImageSource::~ImageSource() = default;

ImageFiles::ImageFiles(DatasetInfo info, std::unique_ptr<const ImageSource> source,
                       std::vector<int32_t> labels, const DatasetOptions& options)
    : info_(std::move(info)),
      source_(std::move(source)),
      labels_(std::move(labels)),
      side_(static_cast<int>(options.image_size.value_or(0))) {
  validate(options);
  info_.size = static_cast<int64_t>(source_->count());
  if (info_.size == 0) {
    throw ConfigError(info_.format, info_.name + ": expected images, received none");
  }
  find_shape();
}

io::Image ImageFiles::decode(size_t i) const {
  return io::decode_image(source_->read(i), source_->path(i));
}

void ImageFiles::find_shape() {
  constexpr int64_t kExamined = 16;
  const int64_t count = std::min(info_.size, kExamined);
  for (int64_t k = 0; k < count; ++k) {
    const auto i = static_cast<size_t>(k * info_.size / count);
    const io::Image image = decode(i);
    if (k == 0) {
      info_.height = side_ > 0 ? side_ : image.height;
      info_.width = side_ > 0 ? side_ : image.width;
    }
    info_.channels = std::max<int64_t>(info_.channels, image.channels);
    require_size(i, image);
  }
}

void ImageFiles::require_size(size_t i, const io::Image& image) const {
  if (side_ > 0 || (image.height == info_.height && image.width == info_.width)) return;
  throw ConfigError("images",
                    source_->path(i) + ": expected " + std::to_string(info_.width) + " x " +
                        std::to_string(info_.height) + " pixels as in the first image, received " +
                        std::to_string(image.width) + " x " + std::to_string(image.height) +
                        "; set image_size to resize them all");
}

int32_t ImageFiles::read(int64_t index, std::span<uint8_t> chw) const {
  require_readable(info_, index, chw);
  const auto i = static_cast<size_t>(index);
  io::Image image = decode(i);
  require_size(i, image);
  if (side_ > 0) image = square(image, side_);
  if (image.channels > info_.channels) {
    throw FormatError("images", source_->path(i) +
                                    ": expected a grey image like the others, received a "
                                    "coloured one; convert it or the other images");
  }
  if (image.channels < info_.channels) {
    for (size_t k = 0; k < chw.size(); ++k) chw[k] = image.pixels[k % image.pixels.size()];
  } else {
    to_planes(image.pixels, info_.channels, chw);
  }
  return labels_.empty() ? -1 : labels_[i];
}

std::string ImageFiles::fingerprint() const {
  io::Sha256 hash;
  const auto add = [&](const std::string& text) { hash.update(std::as_bytes(std::span(text))); };
  add("images " + std::to_string(info_.channels) + ' ' + std::to_string(info_.height) + ' ' +
      std::to_string(info_.width) + ' ' + std::to_string(info_.num_classes) + '\n');
  for (size_t i = 0; i < source_->count(); ++i) {
    const int32_t label = labels_.empty() ? -1 : labels_[i];
    add(source_->name(i) + '\0' + std::to_string(source_->size(i)) + ' ' + std::to_string(label) +
        '\n');
  }
  return hash.hex();
}

}  // namespace halfstep::data
