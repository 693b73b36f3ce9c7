#include "halfstep/data/image_zip.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/dataset_json.h"
#include "halfstep/data/image_files.h"
#include "halfstep/data/image_listing.h"
#include "halfstep/io/quote.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

using Entries = std::map<std::string, io::ZipEntry, std::less<>>;  // by name

// Rejects names that point out of the archive. Names are never opened as paths, but such an archive
// is malicious.
void require_inside(const io::ZipReader& archive, std::string_view name) {
  const std::string between = '/' + std::string(name) + '/';
  if (name.starts_with('/') || name.find('\\') != name.npos ||
      between.find("/../") != between.npos || between.find("/./") != between.npos) {
    throw FormatError(
        "zip", archive.name() + ": expected names inside the archive, received " + io::quote(name));
  }
}

// Returns the entries of the images and of dataset.json.
Entries entries_of(const io::ZipReader& archive) {
  Entries entries;
  for (io::ZipEntry& entry : archive.entries()) {
    require_inside(archive, entry.name);
    if (!is_image_name(entry.name) && entry.name != kDatasetJson) continue;
    std::string name = entry.name;
    if (!entries.emplace(std::move(name), std::move(entry)).second) {
      throw FormatError("zip", archive.name() + ": expected each name once, received one twice");
    }
  }
  return entries;
}

ImageListing list(const Entries& entries, std::string_view folder) {
  ImageListing listing;
  const std::string prefix = folder.empty() ? "" : std::string(folder) + '/';
  for (const auto& [name, entry] : entries) {
    if (name != kDatasetJson && name.starts_with(prefix)) listing.add(name.substr(prefix.size()));
  }
  return listing;
}

class ZipSource : public ImageSource {
 public:
  // `entries` are the images in order, all of them in `folder`.
  ZipSource(std::unique_ptr<const io::ZipReader> archive, std::vector<io::ZipEntry> entries,
            const std::string& folder)
      : archive_(std::move(archive)),
        entries_(std::move(entries)),
        prefix_(folder.empty() ? 0 : folder.size() + 1) {}

  size_t count() const override { return entries_.size(); }
  std::string name(size_t i) const override { return entries_[i].name.substr(prefix_); }
  std::string path(size_t i) const override {
    return archive_->name() + " entry " + io::quote(entries_[i].name);
  }
  uint64_t size(size_t i) const override { return entries_[i].size; }
  std::vector<std::byte> read(size_t i) const override {
    return archive_->read(entries_[i], kMaxImageFile);
  }
  std::vector<std::byte> read_ends(size_t i, size_t count) const override {
    const io::ZipEntry& entry = entries_[i];
    if (!entry.stored || entry.size <= 2 * count) return ImageSource::read_ends(i, count);
    std::vector<std::byte> ends(2 * count);
    archive_->read_at(entry, 0, std::span(ends).first(count));
    archive_->read_at(entry, entry.size - count, std::span(ends).last(count));
    return ends;
  }
  std::optional<uint32_t> checksum(size_t i) const override { return entries_[i].crc32; }

 private:
  std::unique_ptr<const io::ZipReader> archive_;
  std::vector<io::ZipEntry> entries_;
  size_t prefix_;
};

std::string text_of(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

}  // namespace

bool is_image_zip(const fs::path& path) {
  return path.extension() == ".zip" && !fs::is_directory(path);
}

std::unique_ptr<Dataset> open_image_zip(const fs::path& path, const DatasetOptions& options) {
  return open_image_zip(std::make_unique<const io::ZipReader>(path), path.stem().string(), options);
}

std::unique_ptr<Dataset> open_image_zip(std::unique_ptr<const io::ZipReader> archive,
                                        std::string name, const DatasetOptions& options) {
  const Entries entries = entries_of(*archive);
  LabelledNames images;
  std::string folder;
  if (const auto json = entries.find(kDatasetJson); json != entries.end()) {
    require_train_split(options.split, archive->name());
    images = classes_by_json(text_of(archive->read(json->second, kMaxDatasetJson)),
                             list(entries, "").sorted(), archive->name() + " dataset.json");
  } else {
    folder = folder_of_split(list(entries, ""), options.split, archive->name());
    images = classes_by_folder(list(entries, folder), archive->name());
  }
  std::vector<io::ZipEntry> of_images;
  of_images.reserve(images.names.size());
  for (const std::string& image : images.names) {
    of_images.push_back(entries.at(folder.empty() ? image : folder + '/' + image));
  }
  DatasetInfo info{.name = std::move(name),
                   .format = "image-zip",
                   .num_classes = images.num_classes,
                   .class_names = std::move(images.class_names)};
  auto source = std::make_unique<ZipSource>(std::move(archive), std::move(of_images), folder);
  return std::make_unique<ImageFiles>(std::move(info), std::move(source), std::move(images.labels),
                                      options);
}

}  // namespace halfstep::data
