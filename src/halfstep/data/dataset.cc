#include "halfstep/data/dataset.h"

#include <functional>
#include <numeric>

#include "halfstep/core/error.h"
#include "halfstep/io/image.h"

namespace halfstep::data {

std::vector<int64_t> DatasetInfo::shape() const {
  return holds_images() ? std::vector<int64_t>{channels, height, width} : float32_shape;
}

int64_t DatasetInfo::example_bytes() const {
  const std::vector<int64_t> sizes = shape();
  return std::accumulate(sizes.begin(), sizes.end(),
                         holds_images() ? int64_t{1} : static_cast<int64_t>(sizeof(float)),
                         std::multiplies<>());
}

std::string DatasetInfo::summary() const {
  std::string text = one_line(name) + ": " + std::to_string(size) +
                     (holds_images() ? " images of " : " examples of ");
  const std::vector<int64_t> sizes = shape();
  for (size_t k = 0; k < sizes.size(); ++k) text += (k > 0 ? " x " : "") + std::to_string(sizes[k]);
  if (num_classes > 0) text += " in " + std::to_string(num_classes) + " classes";
  return text;
}

std::string BrokenImages::text() const {
  std::string text = std::to_string(count) + (count == 1 ? " broken image: " : " broken images: ");
  for (size_t k = 0; k < named.size(); ++k) text += (k > 0 ? ", " : "") + named[k];
  return text + (static_cast<size_t>(count) > named.size() ? ", ..." : "");
}

std::vector<std::string> DatasetInfo::notes() const {
  std::vector<std::string> notes;
  if (!passed_over.empty()) notes.push_back("passed over: " + passed_over.text());
  if (broken.count > 0) notes.push_back("left out: " + broken.text());
  for (const std::string& warning : warnings) notes.push_back("warning: " + warning);
  return notes;
}

Dataset::~Dataset() = default;

std::string Dataset::name_of(int64_t index) const { return "number " + std::to_string(index); }

void require_readable(const DatasetInfo& info, int64_t index, std::span<const uint8_t> chw) {
  if (index < 0 || index >= info.size) {
    throw ConfigError(info.format, "index: expected a number from 0 to " +
                                       std::to_string(info.size - 1) + ", received " +
                                       std::to_string(index));
  }
  if (static_cast<int64_t>(chw.size()) != info.example_bytes()) {
    throw ConfigError(info.format, "buffer: expected " + std::to_string(info.example_bytes()) +
                                       " bytes, received " + std::to_string(chw.size()));
  }
}

void validate(const DatasetOptions& options) {
  if (options.image_size && (*options.image_size < 1 || *options.image_size > io::kMaxImageSide)) {
    throw ConfigError("dataset", "image_size: expected 1 to " + std::to_string(io::kMaxImageSide) +
                                     " pixels, received " + std::to_string(*options.image_size));
  }
}

void require_train_split(DatasetOptions::Split split, const std::string& where) {
  if (split == DatasetOptions::Split::train) return;
  throw ConfigError("dataset", where +
                                   ": expected a data set with a test split, received one without; "
                                   "pass the path of the test images and do not select a split");
}

void to_planes(std::span<const uint8_t> interleaved, int64_t channels, std::span<uint8_t> planes) {
  const size_t count = interleaved.size() / static_cast<size_t>(channels);
  size_t from = 0;
  for (size_t pixel = 0; pixel < count; ++pixel) {
    for (size_t to = pixel; to < planes.size(); to += count) planes[to] = interleaved[from++];
  }
}

}  // namespace halfstep::data
