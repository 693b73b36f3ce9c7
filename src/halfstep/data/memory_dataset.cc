#include "halfstep/data/memory_dataset.h"

#include <algorithm>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/resize.h"
#include "halfstep/io/hash.h"

namespace halfstep::data {

MemoryDataset::MemoryDataset(DatasetInfo info, std::vector<uint8_t> pixels,
                             std::vector<int32_t> labels, const DatasetOptions& options)
    : info_(std::move(info)), pixels_(std::move(pixels)), labels_(std::move(labels)) {
  const std::string what = info_.name + ": expected ";
  if (info_.size < 1 || info_.image_bytes() < 1) {
    throw FormatError(info_.format, what + "at least one image of one pixel, received none");
  }
  if (static_cast<int64_t>(pixels_.size()) != info_.size * info_.image_bytes()) {
    throw FormatError(info_.format, what + std::to_string(info_.size * info_.image_bytes()) +
                                        " bytes of pixels, received " +
                                        std::to_string(pixels_.size()));
  }
  const int64_t num_labels = info_.num_classes > 0 ? info_.size : 0;
  if (static_cast<int64_t>(labels_.size()) != num_labels) {
    throw FormatError(info_.format, what + std::to_string(num_labels) + " labels, received " +
                                        std::to_string(labels_.size()));
  }
  const auto wrong = std::ranges::find_if(
      labels_, [&](int32_t label) { return label < 0 || label >= info_.num_classes; });
  if (wrong != labels_.end()) {
    throw FormatError(info_.format, what + "labels from 0 to " +
                                        std::to_string(info_.num_classes - 1) + ", received " +
                                        std::to_string(*wrong) + " for image " +
                                        std::to_string(wrong - labels_.begin()));
  }
  validate(options);
  if (options.image_size) resize_all(static_cast<int>(*options.image_size));
}

void MemoryDataset::resize_all(int side) {
  if (info_.height == side && info_.width == side) return;
  const auto plane_bytes = static_cast<ptrdiff_t>(info_.height * info_.width);
  io::Image plane{static_cast<int>(info_.width), static_cast<int>(info_.height), 1, {}};
  std::vector<uint8_t> resized;
  resized.reserve(static_cast<size_t>(info_.size * info_.channels * side * side));
  for (auto from = pixels_.begin(); from != pixels_.end(); from += plane_bytes) {
    plane.pixels.assign(from, from + plane_bytes);
    const io::Image small = square(plane, side);
    resized.insert(resized.end(), small.pixels.begin(), small.pixels.end());
  }
  pixels_ = std::move(resized);
  info_.height = info_.width = side;
}

int32_t MemoryDataset::read(int64_t index, std::span<uint8_t> chw) const {
  require_readable(info_, index, chw);
  std::copy_n(pixels_.begin() + index * info_.image_bytes(), chw.size(), chw.begin());
  return labels_.empty() ? -1 : labels_[static_cast<size_t>(index)];
}

std::string MemoryDataset::fingerprint() const {
  io::Sha256 hash;
  const std::string shape = info_.format + ' ' + std::to_string(info_.size) + ' ' +
                            std::to_string(info_.channels) + ' ' + std::to_string(info_.height) +
                            ' ' + std::to_string(info_.width) + ' ' +
                            std::to_string(info_.num_classes) + '\n';
  hash.update(std::as_bytes(std::span(shape)));
  std::string labels;  // bytes in one order on every machine
  for (const int32_t label : labels_) {
    for (int shift = 0; shift < 32; shift += 8) labels += static_cast<char>(label >> shift & 0xFF);
  }
  hash.update(std::as_bytes(std::span(labels)));
  constexpr int64_t kImages = 4096;
  const int64_t count = std::min(info_.size, kImages);
  const auto bytes = static_cast<size_t>(info_.image_bytes());
  for (int64_t i = 0; i < count; ++i) {
    const auto image = static_cast<size_t>(i * info_.size / count);
    hash.update(std::as_bytes(std::span(pixels_).subspan(image * bytes, bytes)));
  }
  return hash.hex();
}

}  // namespace halfstep::data
