#include "halfstep/data/image_listing.h"

#include <algorithm>
#include <array>
#include <utility>

namespace halfstep::data {

bool is_image_name(std::string_view name) {
  constexpr auto kExtensions = std::to_array<std::string_view>(
      {".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".webp", ".gif", ".tif", ".tiff", ".bmp"});
  return std::ranges::find(kExtensions, extension_of(name)) != kExtensions.end();
}

bool is_clutter(std::string_view name) {
  const std::string_view file = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  return name.starts_with('.') || name.find("/.") != name.npos ||
         ("/" + std::string(name) + "/").find("/__MACOSX/") != std::string::npos ||
         file == "Thumbs.db" || file == "desktop.ini";
}

void ImageListing::add(std::string name) {
  if (is_clutter(name)) return;
  if (name == kDatasetJson) {
    has_dataset_json = true;
  } else if (!is_image_name(name)) {
    passed_over_at(name).add_file(name);
  } else {
    const size_t slash = name.find('/');
    (slash == name.npos ? loose : folders[name.substr(0, slash)]).push_back(std::move(name));
  }
}

PassedOver& ImageListing::passed_over_at(std::string_view name) {
  const size_t slash = name.find('/');
  return passed_over[slash == name.npos ? "" : std::string(name.substr(0, slash))];
}

PassedOver ImageListing::all_passed_over(std::string_view without) const {
  PassedOver sum;
  for (const auto& [folder, count] : passed_over) {
    if (folder.empty() || folder != without) sum += count;
  }
  return sum;
}

std::vector<std::string> ImageListing::sorted() const {
  std::vector<std::string> names = loose;
  for (const auto& [folder, inside] : folders) {
    names.insert(names.end(), inside.begin(), inside.end());
  }
  std::ranges::sort(names);
  return names;
}

}  // namespace halfstep::data
