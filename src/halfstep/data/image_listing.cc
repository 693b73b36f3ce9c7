#include "halfstep/data/image_listing.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "halfstep/core/error.h"

namespace halfstep::data {

bool is_image_name(std::string_view name) {
  if (name.starts_with('.') || name.find("/.") != name.npos) return false;
  const std::string_view file = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  const size_t dot = file.rfind('.');
  if (dot == file.npos) return false;
  std::string extension(file.substr(dot));
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::array<std::string_view, 4> kExtensions = {".png", ".jpg", ".jpeg", ".webp"};
  return std::ranges::find(kExtensions, extension) != kExtensions.end();
}

void ImageListing::add(std::string name) {
  const size_t slash = name.find('/');
  (slash == name.npos ? loose : folders[name.substr(0, slash)]).push_back(std::move(name));
}

std::vector<std::string> ImageListing::sorted() const {
  std::vector<std::string> names = loose;
  for (const auto& [folder, inside] : folders) {
    names.insert(names.end(), inside.begin(), inside.end());
  }
  std::ranges::sort(names);
  return names;
}

std::string folder_of_split(const ImageListing& listing, DatasetOptions::Split split,
                            const std::string& where) {
  const auto& folders = listing.folders;
  const bool has_splits = listing.loose.empty() && folders.contains("train") &&
                          (folders.contains("test") || folders.contains("val")) &&
                          folders.size() == 1 + folders.count("test") + folders.count("val");
  if (has_splits) {
    if (split == DatasetOptions::Split::train) return "train";
    return folders.contains("test") ? "test" : "val";
  }
  if (split == DatasetOptions::Split::train) return "";
  throw ConfigError("images", where +
                                  ": expected the folders train and test for the test split, "
                                  "received other folders; pass the path of the test images and "
                                  "do not select a split");
}

LabelledNames classes_by_folder(const ImageListing& listing, const std::string& where) {
  if (listing.empty()) {
    throw ConfigError("images", where + ": expected PNG, JPEG or WebP images, received none");
  }
  if (!listing.loose.empty() && !listing.folders.empty()) {
    throw ConfigError("images", where + ": expected images in class folders or none, received " +
                                    std::to_string(listing.loose.size()) +
                                    " images next to folders of images, such as " +
                                    listing.loose.front() +
                                    "; move them into a class folder or delete them");
  }
  LabelledNames result;
  result.names = listing.loose;
  std::ranges::sort(result.names);
  for (const auto& [name, inside] : listing.folders) {
    const auto first = static_cast<ptrdiff_t>(result.names.size());
    result.names.insert(result.names.end(), inside.begin(), inside.end());
    std::ranges::sort(result.names.begin() + first, result.names.end());
    result.labels.resize(result.names.size(), static_cast<int32_t>(result.num_classes++));
    result.class_names.push_back(name);
  }
  return result;
}

}  // namespace halfstep::data
