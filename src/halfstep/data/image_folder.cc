#include "halfstep/data/image_folder.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/data/resize.h"
#include "halfstep/io/hash.h"
#include "halfstep/io/image.h"

namespace halfstep::data {
namespace {

namespace fs = std::filesystem;

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

bool is_image(const fs::directory_entry& entry) {
  if (is_hidden(entry.path()) || !entry.is_regular_file()) return false;
  std::string extension = entry.path().extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array kExtensions = {".png", ".jpg", ".jpeg", ".webp"};
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

// The images under a folder, at any depth.
std::vector<fs::path> images_under(const fs::path& folder) {
  std::vector<fs::path> images;
  for (auto it = fs::recursive_directory_iterator(folder); it != fs::end(it); ++it) {
    if (it->is_directory() && is_hidden(it->path())) it.disable_recursion_pending();
    if (is_image(*it)) images.push_back(it->path());
  }
  return images;
}

struct Listing {
  std::vector<fs::path> loose;                           // images in the folder itself
  std::map<std::string, std::vector<fs::path>> folders;  // top folder -> its images, if any

  bool empty() const { return loose.empty() && folders.empty(); }
};

Listing list(const fs::path& root) {
  Listing listing;
  for (const fs::directory_entry& entry : fs::directory_iterator(root)) {
    if (is_image(entry)) listing.loose.push_back(entry.path());
    if (!entry.is_directory() || is_hidden(entry.path())) continue;
    std::vector<fs::path> images = images_under(entry.path());
    if (images.empty()) continue;
    listing.folders[entry.path().filename().string()] = std::move(images);
  }
  return listing;
}

// The folder of the split: `root` itself, or train or test (val) in it.
fs::path folder_of_split(const fs::path& root, const Listing& listing,
                         DatasetOptions::Split split) {
  const auto& folders = listing.folders;
  const bool has_splits = listing.loose.empty() && folders.contains("train") &&
                          (folders.contains("test") || folders.contains("val")) &&
                          folders.size() == 1 + folders.count("test") + folders.count("val");
  if (has_splits) {
    if (split == DatasetOptions::Split::train) return root / "train";
    return root / (folders.contains("test") ? "test" : "val");
  }
  if (split == DatasetOptions::Split::train) return root;
  throw ConfigError("image folder", root.string() +
                                        ": expected the folders train and test for the test split, "
                                        "received no such pair; give the folder of the test images "
                                        "without asking for a split");
}

class ImageFolder : public Dataset {
 public:
  ImageFolder(fs::path root, const DatasetOptions& options);

  const DatasetInfo& info() const override { return info_; }
  int32_t read(int64_t index, std::span<uint8_t> chw) const override;
  std::string fingerprint() const override;

 private:
  struct File {
    fs::path path;
    int32_t label;
  };

  void find_files(const Listing& listing);
  void find_shape();
  void require_size(const File& file, const io::Image& image) const;

  fs::path root_;
  int side_;  // 0: the images stay as they are
  DatasetInfo info_;
  std::vector<File> files_;
};

ImageFolder::ImageFolder(fs::path root, const DatasetOptions& options)
    : root_(std::move(root)), side_(static_cast<int>(options.image_size.value_or(0))) {
  info_.name = fs::weakly_canonical(root_).filename().string();
  info_.format = "image-folder";
  validate(options);
  Listing listing = list(root_);
  const fs::path folder = folder_of_split(root_, listing, options.split);
  if (folder != root_) listing = list(folder);
  root_ = folder;
  if (listing.empty()) {
    throw ConfigError("image folder",
                      root_.string() + ": expected PNG, JPEG or WebP images, received none");
  }
  if (!listing.loose.empty() && !listing.folders.empty()) {
    throw ConfigError("image folder", root_.string() +
                                          ": expected images in class folders or none, "
                                          "received " +
                                          std::to_string(listing.loose.size()) +
                                          " images beside folders of images, such as " +
                                          listing.loose.front().filename().string() +
                                          "; put them into a folder or away");
  }
  find_files(listing);
  find_shape();
}

void ImageFolder::find_files(const Listing& listing) {
  for (const fs::path& path : listing.loose) files_.push_back({path, -1});
  for (const auto& [name, paths] : listing.folders) {
    const auto label = static_cast<int32_t>(info_.class_names.size());
    info_.class_names.push_back(name);
    for (const fs::path& path : paths) files_.push_back({path, label});
  }
  std::ranges::sort(files_, {}, [](const File& file) {
    return std::pair(file.label, file.path.generic_string());
  });
  info_.size = static_cast<int64_t>(files_.size());
  info_.num_classes = static_cast<int64_t>(info_.class_names.size());
}

void ImageFolder::find_shape() {
  constexpr int64_t kLook = 16;
  const int64_t count = std::min(info_.size, kLook);
  for (int64_t i = 0; i < count; ++i) {
    const File& file = files_[static_cast<size_t>(i * info_.size / count)];
    const io::Image image = io::read_image(file.path);
    if (i == 0) {
      info_.height = side_ > 0 ? side_ : image.height;
      info_.width = side_ > 0 ? side_ : image.width;
    }
    info_.channels = std::max<int64_t>(info_.channels, image.channels);
    require_size(file, image);
  }
}

void ImageFolder::require_size(const File& file, const io::Image& image) const {
  if (side_ > 0 || (image.height == info_.height && image.width == info_.width)) return;
  throw ConfigError("image folder",
                    file.path.string() + ": expected " + std::to_string(info_.width) + " x " +
                        std::to_string(info_.height) + " pixels as in the first image, received " +
                        std::to_string(image.width) + " x " + std::to_string(image.height) +
                        "; set image_size to resize them all");
}

int32_t ImageFolder::read(int64_t index, std::span<uint8_t> chw) const {
  require_readable(info_, index, chw);
  const File& file = files_[static_cast<size_t>(index)];
  io::Image image = io::read_image(file.path);
  require_size(file, image);
  if (side_ > 0) image = square(image, side_);
  if (image.channels > info_.channels) {
    throw FormatError("image folder", file.path.string() +
                                          ": expected a grey image like the others, received a "
                                          "coloured one; convert it or the others");
  }
  if (image.channels < info_.channels) {
    for (size_t i = 0; i < chw.size(); ++i) chw[i] = image.pixels[i % image.pixels.size()];
  } else {
    to_planes(image.pixels, info_.channels, chw);
  }
  return file.label;
}

std::string ImageFolder::fingerprint() const {
  std::string text = info_.format + ' ' + std::to_string(info_.channels) + ' ' +
                     std::to_string(info_.height) + ' ' + std::to_string(info_.width) + '\n';
  for (const File& file : files_) {
    text += fs::relative(file.path, root_).generic_string() + '\0' +
            std::to_string(fs::file_size(file.path)) + '\n';
  }
  return io::sha256_hex(std::as_bytes(std::span(text)));
}

}  // namespace

bool is_image_folder(const fs::path& path) { return fs::is_directory(path) && !list(path).empty(); }

std::unique_ptr<Dataset> open_image_folder(const fs::path& path, const DatasetOptions& options) {
  return std::make_unique<ImageFolder>(path, options);
}

}  // namespace halfstep::data
