#include "halfstep/data/image_folder.h"

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/dataset_json.h"
#include "halfstep/data/image_files.h"
#include "halfstep/data/image_listing.h"
#include "halfstep/io/file.h"
#include "halfstep/io/random_access.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

// Calls `visit` with the path below `root` of each image in `folder`, recursively, until it returns
// false. Returns whether all images were visited. Links to folders are followed at the top level
// only, so that class folders may be links.
template <class Visit>
bool for_each_image(const fs::path& root, const fs::path& folder, const Visit& visit) {
  const size_t prefix = (root / "").generic_string().size();
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::end(it); ++it) {
    const std::string name = it->path().generic_string().substr(prefix);
    if (it->is_directory() && it->path().filename().string().starts_with('.')) {
      it.disable_recursion_pending();
    } else if (is_image_name(name) && it->is_regular_file() && !visit(name)) {
      return false;
    }
  }
  return true;
}

template <class Visit>
bool for_each_image(const fs::path& root, const Visit& visit) {
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with('.')) continue;
    if (entry.is_directory() && !for_each_image(root, entry.path(), visit)) return false;
    if (is_image_name(name) && entry.is_regular_file() && !visit(name)) return false;
  }
  return true;
}

ImageListing list(const fs::path& root) {
  ImageListing listing;
  for_each_image(root, [&](const std::string& name) {
    listing.add(name);
    return true;
  });
  return listing;
}

LabelledNames labelled_names(fs::path& root, DatasetOptions::Split split) {
  ImageListing listing = list(root);
  const fs::path json = root / kDatasetJson;
  if (fs::exists(json)) {
    require_train_split(split, root.string());
    return classes_by_json(io::read_file(json), listing.sorted(), json.string());
  }
  const std::string folder = folder_of_split(listing, split, root.string());
  if (!folder.empty()) {
    root /= folder;
    listing = list(root);
  }
  return classes_by_folder(listing, root.string());
}

class FolderSource : public ImageSource {
 public:
  FolderSource(fs::path root, std::vector<std::string> names)
      : root_(std::move(root)), names_(std::move(names)) {}

  size_t count() const override { return names_.size(); }
  std::string name(size_t i) const override { return names_[i]; }
  std::string path(size_t i) const override { return (root_ / names_[i]).string(); }
  uint64_t size(size_t i) const override { return fs::file_size(root_ / names_[i]); }
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

bool is_image_folder(const fs::path& path) {
  if (!fs::is_directory(path)) return false;
  return !for_each_image(path, [](const std::string&) { return false; });
}

std::unique_ptr<Dataset> open_image_folder(const fs::path& path, const DatasetOptions& options) {
  fs::path root = path;
  LabelledNames images = labelled_names(root, options.split);
  DatasetInfo info{.name = fs::weakly_canonical(path).filename().string(),
                   .format = "image-folder",
                   .num_classes = images.num_classes,
                   .class_names = std::move(images.class_names)};
  return std::make_unique<ImageFiles>(
      std::move(info), std::make_unique<FolderSource>(std::move(root), std::move(images.names)),
      std::move(images.labels), options);
}

}  // namespace halfstep::data
