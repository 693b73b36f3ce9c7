#include "halfstep/data/image_zip.h"

#include <algorithm>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/dataset_json.h"
#include "halfstep/data/image_files.h"
#include "halfstep/data/image_layout.h"
#include "halfstep/io/quote.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

using Entries = std::map<std::string, io::ZipEntry, std::less<>>;  // by inside_name

// Returns a name with '/' between its parts and without parts ".", which some programs write.
// Rejects names that point out of the archive: names are never opened as paths, but such an archive
// is malicious.
std::string inside_name(const io::ZipReader& archive, const std::string& name) {
  std::string slashes = name;
  std::ranges::replace(slashes, '\\', '/');
  std::string inside;
  bool outside = slashes.starts_with('/');
  for (size_t begin = 0; begin < slashes.size();) {
    const size_t end = std::min(slashes.find('/', begin), slashes.size());
    const std::string_view part = std::string_view(slashes).substr(begin, end - begin);
    outside = outside || part == "..";
    if (!part.empty() && part != ".") (inside += inside.empty() ? "" : "/") += part;
    begin = end + 1;
  }
  if (outside) {
    throw FormatError(
        "zip", archive.name() + ": expected names inside the archive, received " + io::quote(name));
  }
  return inside;
}

// Returns the files in the archive, without clutter.
Entries entries_of(const io::ZipReader& archive) {
  Entries entries;
  for (io::ZipEntry& entry : archive.entries()) {
    std::string name = inside_name(archive, entry.name);
    const bool is_folder = entry.name.ends_with('/') || entry.name.ends_with('\\');
    if (is_folder || name.empty() || is_clutter(name)) continue;
    if (!entries.emplace(name, std::move(entry)).second) {
      throw FormatError("zip", archive.name() + ": expected each name once, received " +
                                   io::quote(name) + " twice");
    }
  }
  return entries;
}

class ZipTree : public ImageTree {
 public:
  ZipTree(const io::ZipReader& archive, const Entries& entries)
      : archive_(archive), entries_(entries) {}

  ImageListing list(const std::string& folder) const override {
    ImageListing listing;
    const std::string prefix = folder.empty() ? "" : folder + '/';
    for (auto it = entries_.lower_bound(prefix);
         it != entries_.end() && it->first.starts_with(prefix); ++it) {
      std::string name = it->first.substr(prefix.size());
      if (it->second.is_link) {
        ++listing.passed_over_at(name).links;
      } else {
        listing.add(std::move(name));
      }
    }
    return listing;
  }

  std::vector<std::byte> read_dataset_json(const std::string& folder,
                                           uint64_t max_size) const override {
    const std::string name = (folder.empty() ? "" : folder + '/') + kDatasetJson;
    return archive_.read(entries_.at(name), max_size);
  }

 private:
  const io::ZipReader& archive_;
  const Entries& entries_;
};

class ZipSource : public ImageSource {
 public:
  // `entries` are those of the images, `names` their names within the data set.
  ZipSource(std::unique_ptr<const io::ZipReader> archive, std::vector<io::ZipEntry> entries,
            std::vector<std::string> names)
      : archive_(std::move(archive)), entries_(std::move(entries)), names_(std::move(names)) {}

  size_t count() const override { return entries_.size(); }
  std::string name(size_t i) const override { return names_[i]; }
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
  std::vector<std::string> names_;
};

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
  LabelledNames images =
      labelled_images(ZipTree(*archive, entries), options.split, archive->name());
  const std::string prefix = images.folder.empty() ? "" : images.folder + '/';
  std::vector<io::ZipEntry> of_images;
  of_images.reserve(images.names.size());
  for (const std::string& image : images.names) of_images.push_back(entries.at(prefix + image));
  DatasetInfo info{.name = std::move(name),
                   .format = "image-zip",
                   .folder = images.folder,
                   .num_classes = images.num_classes,
                   .class_names = std::move(images.class_names),
                   .passed_over = std::move(images.passed_over),
                   .warnings = std::move(images.warnings)};
  auto source = std::make_unique<ZipSource>(std::move(archive), std::move(of_images),
                                            std::move(images.names));
  return std::make_unique<ImageFiles>(std::move(info), std::move(source), std::move(images.labels),
                                      options);
}

}  // namespace halfstep::data
