#include "halfstep/data/image_folder.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/dataset_json.h"
#include "halfstep/data/folder_walk.h"
#include "halfstep/data/image_files.h"
#include "halfstep/data/image_layout.h"
#include "halfstep/io/file.h"
#include "halfstep/io/random_access.h"
#include "halfstep/io/system_error.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

class FolderTree : public ImageTree {
 public:
  explicit FolderTree(fs::path root) : root_(std::move(root)) {}

  ImageListing list(const std::string& folder) const override {
    return list_folder(root_ / folder);
  }
  std::vector<std::byte> read_dataset_json(const std::string& folder,
                                           uint64_t max_size) const override {
    const fs::path path = root_ / folder / kDatasetJson;
    std::vector<std::byte> bytes = io::read_bytes(path, max_size + 1);
    if (bytes.size() > max_size) {
      throw FormatError("dataset.json", path.string() + ": expected at most " +
                                            std::to_string(max_size) + " bytes, received more");
    }
    return bytes;
  }

 private:
  fs::path root_;
};

class FolderSource : public ImageSource {
 public:
  FolderSource(fs::path root, std::vector<std::string> names)
      : root_(std::move(root)), names_(std::move(names)) {}

  size_t count() const override { return names_.size(); }
  std::string name(size_t i) const override { return names_[i]; }
  std::string path(size_t i) const override { return (root_ / names_[i]).string(); }
  uint64_t size(size_t i) const override {
    try {
      return fs::file_size(root_ / names_[i]);
    } catch (const fs::filesystem_error& error) {  // it was deleted meanwhile
      throw io::io_error(error);
    }
  }
  std::vector<std::byte> read(size_t i) const override { return io::read_bytes(root_ / names_[i]); }
  std::vector<std::byte> read_ends(size_t i, size_t count) const override {
    const io::RandomAccessFile file(root_ / names_[i]);
    const bool whole = file.size() <= 2 * count;
    std::vector<std::byte> ends(whole ? file.size() : 2 * count);
    const size_t first = whole ? ends.size() : count;
    file.read_at(0, std::span(ends).first(first));
    file.read_at(file.size() - (ends.size() - first), std::span(ends).subspan(first));
    return ends;
  }

 private:
  fs::path root_;
  std::vector<std::string> names_;
};

}  // namespace

bool is_image_folder(const fs::path& path) { return fs::is_directory(path) && holds_image(path); }

std::unique_ptr<Dataset> open_image_folder(const fs::path& path, const DatasetOptions& options) {
  LabelledNames images = labelled_images(FolderTree(path), options.split, path.string());
  DatasetInfo info{.name = fs::weakly_canonical(path).filename().string(),
                   .format = "image-folder",
                   .folder = images.folder,
                   .num_classes = images.num_classes,
                   .class_names = std::move(images.class_names),
                   .passed_over = std::move(images.passed_over),
                   .warnings = std::move(images.warnings)};
  auto source = std::make_unique<FolderSource>(path / images.folder, std::move(images.names));
  return std::make_unique<ImageFiles>(std::move(info), std::move(source), std::move(images.labels),
                                      options);
}

}  // namespace halfstep::data
