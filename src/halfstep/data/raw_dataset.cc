#include "halfstep/data/raw_dataset.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/labels.h"
#include "halfstep/data/resize.h"
#include "halfstep/io/array.h"
#include "halfstep/io/hash.h"

namespace halfstep::data {

ReadAt in_memory(std::vector<uint8_t> bytes) {
  const auto shared = std::make_shared<const std::vector<uint8_t>>(std::move(bytes));
  return [shared](uint64_t offset, std::span<std::byte> to) {
    std::ranges::copy(std::as_bytes(std::span(*shared).subspan(offset, to.size())), to.begin());
  };
}

namespace {

void require_finite(const DatasetInfo& info, int64_t index, std::span<const uint8_t> bytes) {
  std::vector<float> numbers(bytes.size() / sizeof(float));
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  if (std::ranges::all_of(numbers, [](float number) { return std::isfinite(number); })) return;
  throw FormatError(info.format, info.name + ": expected finite numbers, received inf or nan in " +
                                     "example " + std::to_string(index));
}

}  // namespace

RawDataset::RawDataset(DatasetInfo info, std::vector<RawPart> parts, PixelOrder order,
                       std::vector<int32_t> labels, const DatasetOptions& options)
    : stored_(std::move(info)),
      parts_(std::move(parts)),
      order_(order),
      labels_(std::move(labels)) {
  const std::string what = stored_.name + ": expected ";
  stored_.size = 0;
  for (const RawPart& part : parts_) stored_.size += part.count;
  if (stored_.size < 1 || stored_.example_bytes() < 1) {
    throw FormatError(stored_.format,
                      what + "at least one image of at least one pixel, received none");
  }
  const int64_t num_labels = stored_.num_classes > 0 ? stored_.size : 0;
  if (static_cast<int64_t>(labels_.size()) != num_labels) {
    throw FormatError(stored_.format, what + std::to_string(num_labels) + " labels, received " +
                                          std::to_string(labels_.size()));
  }
  const auto wrong = std::ranges::find_if(
      labels_, [&](int32_t label) { return label < 0 || label >= stored_.num_classes; });
  if (wrong != labels_.end()) {
    throw FormatError(stored_.format, what + "labels from 0 to " +
                                          std::to_string(stored_.num_classes - 1) + ", received " +
                                          std::to_string(*wrong) + " for image " +
                                          std::to_string(wrong - labels_.begin()));
  }
  validate(options);
  info_ = stored_;
  add_class_warnings(labels_, info_);
  if (options.image_size) info_.height = info_.width = *options.image_size;
}

void RawDataset::read_as_stored(int64_t index, std::span<uint8_t> chw) const {
  auto part = parts_.begin();
  for (; index >= part->count; ++part) index -= part->count;
  const uint64_t offset = part->offset + static_cast<uint64_t>(index * stored_.example_bytes());
  if (order_ == PixelOrder::planes || stored_.channels == 1) {
    part->read_at(offset, std::as_writable_bytes(chw));
    return;
  }
  std::vector<uint8_t> interleaved(chw.size());
  part->read_at(offset, std::as_writable_bytes(std::span(interleaved)));
  to_planes(interleaved, stored_.channels, chw);
}

int32_t RawDataset::read(int64_t index, std::span<uint8_t> chw) const {
  require_readable(info_, index, chw);
  const int32_t label = labels_.empty() ? -1 : labels_[static_cast<size_t>(index)];
  if (info_.height == stored_.height && info_.width == stored_.width) {
    read_as_stored(index, chw);
    if (!info_.holds_images()) require_finite(info_, index, chw);
    return label;
  }
  std::vector<uint8_t> pixels(static_cast<size_t>(stored_.example_bytes()));
  read_as_stored(index, pixels);
  const auto plane_bytes = static_cast<ptrdiff_t>(stored_.height * stored_.width);
  io::Image plane{static_cast<int>(stored_.width), static_cast<int>(stored_.height), 1, {}};
  auto to = chw.begin();
  for (auto from = pixels.begin(); from != pixels.end(); from += plane_bytes) {
    plane.pixels.assign(from, from + plane_bytes);
    to = std::ranges::copy(square(plane, static_cast<int>(info_.height)).pixels, to).out;
  }
  return label;
}

std::string RawDataset::fingerprint() const {
  std::call_once(hashed_, [this] { fingerprint_ = hash(); });
  return fingerprint_;
}

std::string RawDataset::hash() const {
  io::Sha256 hash;
  const std::string shape =
      info_.format + ' ' + std::to_string(info_.size) + ' ' + std::to_string(info_.channels) + ' ' +
      std::to_string(info_.height) + ' ' + std::to_string(info_.width) + ' ' +
      std::to_string(info_.num_classes) +
      (info_.holds_images() ? "" : " " + io::to_string(info_.float32_shape)) + '\n';
  hash.update(std::as_bytes(std::span(shape)));
  std::string labels;  // little-endian on every machine
  for (const int32_t label : labels_) {
    for (int shift = 0; shift < 32; shift += 8) labels += static_cast<char>(label >> shift & 0xFF);
  }
  hash.update(std::as_bytes(std::span(labels)));
  constexpr uint64_t kPiece = uint64_t{1} << 18;
  std::vector<std::byte> piece(kPiece);
  for (const RawPart& part : parts_) {
    const uint64_t end = part.offset + static_cast<uint64_t>(part.count * stored_.example_bytes());
    for (uint64_t offset = part.offset; offset < end; offset += kPiece) {
      const auto bytes = std::span(piece).first(std::min(kPiece, end - offset));
      part.read_at(offset, bytes);
      hash.update(bytes);
    }
  }
  return hash.hex();
}

}  // namespace halfstep::data
