#include "halfstep/data/passed_over.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/lower_case.h"

namespace halfstep::data {
namespace {

std::string counted(int64_t count, std::string_view one, std::string_view many) {
  return std::to_string(count) + ' ' + std::string(count == 1 ? one : many);
}

// Returns the most frequent extensions, such as "9 .bmp, 7 .heic, 1 without extension, ...".
std::string text_of(const std::map<std::string, int64_t>& files) {
  constexpr size_t kNamed = 5;
  std::vector<std::pair<std::string, int64_t>> sorted(files.begin(), files.end());
  std::ranges::stable_sort(sorted,
                           [](const auto& a, const auto& b) { return a.second > b.second; });
  std::string text;
  for (size_t i = 0; i < std::min(sorted.size(), kNamed); ++i) {
    const auto& [extension, count] = sorted[i];
    text += (i > 0 ? ", " : "") + std::to_string(count) + ' ' +
            (extension.empty() ? "without extension" : one_line(extension));
  }
  return text + (sorted.size() > kNamed ? ", ..." : "");
}

}  // namespace

std::string extension_of(std::string_view name) {
  const std::string_view file = name.substr(name.rfind('/') + 1);  // npos + 1 is 0
  const size_t dot = file.rfind('.');
  // Longer ones are parts of a name, such as that of "letter to Mr. Smith".
  constexpr size_t kMaxExtension = 12;
  if (dot == file.npos || dot == 0 || file.size() - dot > kMaxExtension) return "";
  return lower_case(file.substr(dot));
}

void PassedOver::add_file(std::string_view name) { ++files[extension_of(name)]; }

PassedOver& PassedOver::operator+=(const PassedOver& other) {
  for (const auto& [extension, count] : other.files) files[extension] += count;
  not_images += other.not_images;
  links += other.links;
  broken_links += other.broken_links;
  special_files += other.special_files;
  empty_folders += other.empty_folders;
  return *this;
}

bool PassedOver::empty() const { return text().empty(); }

std::string PassedOver::text() const {
  std::string text;
  const auto add = [&](int64_t count, std::string_view one, std::string_view many,
                       const std::string& detail = "") {
    if (count > 0) text += (text.empty() ? "" : ", ") + counted(count, one, many) + detail;
  };
  int64_t count = 0;
  for (const auto& [extension, of_extension] : files) count += of_extension;
  add(count, "file", "files", " (" + text_of(files) + ")");
  add(not_images, "entry that is not an image", "entries that are not images");
  add(links, "link", "links");
  add(broken_links, "broken link", "broken links");
  add(empty_folders, "empty folder", "empty folders");
  add(special_files, "pipe, socket or device", "pipes, sockets or devices");
  return text;
}

}  // namespace halfstep::data
