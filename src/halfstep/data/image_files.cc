#include "halfstep/data/image_files.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <span>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/data/image_survey.h"
#include "halfstep/data/labels.h"
#include "halfstep/data/resize.h"
#include "halfstep/io/hash.h"

namespace halfstep::data {

ImageSource::~ImageSource() = default;

std::vector<std::byte> ImageSource::read_ends(size_t i, size_t count) const {
  std::vector<std::byte> bytes = read(i);
  if (bytes.size() <= 2 * count) return bytes;
  const auto middle = static_cast<ptrdiff_t>(count);
  bytes.erase(bytes.begin() + middle, bytes.end() - middle);
  return bytes;
}

std::optional<uint32_t> ImageSource::checksum(size_t /*i*/) const { return std::nullopt; }

bool ImageSource::holds_other_entries() const { return false; }

namespace {

using Sizes = std::map<std::pair<int, int>, ImageSurvey::OfSize>;

std::string by(const std::pair<int, int>& size) {
  return std::to_string(size.first) + " x " + std::to_string(size.second);
}

// Names the images that are not of the most frequent size.
[[noreturn]] void fail_sizes(const DatasetInfo& info, const ImageSource& source, const Sizes& sizes,
                             Sizes::const_iterator common) {
  int64_t count = 0;
  size_t named = 0;
  std::string text;
  for (auto size = sizes.begin(); size != sizes.end(); ++size) {
    if (size == common) continue;
    count += size->second.count;
    for (const size_t i : size->second.first) {
      if (named++ >= BrokenImages::kNamed) break;
      text += (named > 1 ? ", " : "") + one_line(source.name(i)) + " (" + by(size->first) + ")";
    }
  }
  throw ConfigError(
      "images", info.name + ": expected images of one size, received " +
                    std::to_string(common->second.count) + " of " + by(common->first) + " and " +
                    std::to_string(count) + " of other sizes: " + text +
                    (static_cast<size_t>(count) > BrokenImages::kNamed ? ", ..." : "") +
                    "; set --image-size to crop and resize them all");
}

}  // namespace

ImageFiles::ImageFiles(DatasetInfo info, std::unique_ptr<const ImageSource> source,
                       std::vector<int32_t> labels, const DatasetOptions& options)
    : info_(std::move(info)),
      source_(std::move(source)),
      labels_(std::move(labels)),
      side_(static_cast<int>(options.image_size.value_or(0))),
      skip_broken_(options.skip_broken) {
  validate(options);
  ImageSurvey found = survey(*source_, labels_, skip_broken_);
  if (found.broken.count > 0 && (!skip_broken_ || found.whole.empty())) {
    throw FormatError("images", info_.name + ": expected whole images, received " +
                                    found.broken.text() + "; the first: " + found.first_reason +
                                    (skip_broken_ ? "" : "; --skip-broken leaves them out"));
  }
  if (found.whole.empty()) {
    throw ConfigError(info_.format, info_.name + ": expected images, received none");
  }
  const auto common =
      std::ranges::max_element(found.sizes, {}, [](const auto& size) { return size.second.count; });
  if (side_ == 0 && found.sizes.size() > 1) fail_sizes(info_, *source_, found.sizes, common);
  info_.size = static_cast<int64_t>(found.whole.size());
  info_.channels = found.channels;
  info_.width = side_ > 0 ? side_ : common->first.first;
  info_.height = side_ > 0 ? side_ : common->first.second;
  info_.passed_over.not_images += found.not_images;
  info_.broken = std::move(found.broken);
  files_ = std::move(found.whole);
  contents_ = std::move(found.contents);
  std::vector<int32_t> kept;
  if (!labels_.empty())
    std::ranges::transform(files_, std::back_inserter(kept), [&](size_t i) { return labels_[i]; });
  add_class_warnings(kept, info_);
}

io::Image ImageFiles::decode(size_t i) const {
  try {
    return io::decode_image(source_->read(i), source_->path(i));
  } catch (const FormatError& error) {
    if (skip_broken_) throw;
    throw FormatError(error.where(), std::string(error.text()) + "; --skip-broken leaves it out");
  }
}

void ImageFiles::require_size(size_t i, const io::Image& image) const {
  if (side_ > 0 || (image.height == info_.height && image.width == info_.width)) return;
  throw ConfigError("images", source_->path(i) + ": expected " + std::to_string(info_.width) +
                                  " x " + std::to_string(info_.height) + " pixels, received " +
                                  std::to_string(image.width) + " x " +
                                  std::to_string(image.height) +
                                  "; the file was changed after it was opened");
}

int32_t ImageFiles::read(int64_t index, std::span<uint8_t> chw) const {
  require_readable(info_, index, chw);
  const size_t i = files_[static_cast<size_t>(index)];
  io::Image image = decode(i);
  require_size(i, image);
  if (side_ > 0) image = square(image, side_);
  if (image.channels > info_.channels) {
    throw FormatError("images", source_->path(i) +
                                    ": expected a grey image like the others, received a "
                                    "coloured one; the file was changed after it was opened");
  }
  if (image.channels < info_.channels) {
    for (size_t k = 0; k < chw.size(); ++k) chw[k] = image.pixels[k % image.pixels.size()];
  } else {
    to_planes(image.pixels, info_.channels, chw);
  }
  return labels_.empty() ? -1 : labels_[i];
}

std::string ImageFiles::name_of(int64_t index) const {
  return source_->name(files_[static_cast<size_t>(index)]);
}

std::string ImageFiles::fingerprint() const {
  const std::string text = "images " + std::to_string(info_.channels) + ' ' +
                           std::to_string(info_.height) + ' ' + std::to_string(info_.width) + ' ' +
                           std::to_string(info_.num_classes) + ' ' + contents_;
  return io::sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace halfstep::data
