#include "halfstep/data/split_folders.h"

#include <algorithm>
#include <array>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/core/lower_case.h"

namespace halfstep::data {
namespace {

constexpr auto kNames =
    std::to_array<std::pair<std::string_view, SplitKind>>({{"train", SplitKind::train},
                                                           {"training", SplitKind::train},
                                                           {"test", SplitKind::test},
                                                           {"testing", SplitKind::test},
                                                           {"val", SplitKind::validation},
                                                           {"valid", SplitKind::validation},
                                                           {"validation", SplitKind::validation},
                                                           {"dev", SplitKind::validation}});

bool holds_folders(const std::vector<std::string>& names, const std::string& folder) {
  return std::ranges::any_of(names, [&](const std::string& name) {
    return name.find('/', folder.size() + 1) != name.npos;
  });
}

}  // namespace

std::optional<SplitKind> split_kind(std::string_view name) {
  const std::string lower = lower_case(name);
  for (const auto& [known, kind] : kNames) {
    if (lower == known) return kind;
  }
  return std::nullopt;
}

bool resembles_split(std::string_view name) {
  const std::string lower = lower_case(name);
  return std::ranges::any_of(kNames, [&](const auto& known) {
    if (!lower.starts_with(known.first)) return false;
    const size_t length = known.first.size();
    return length == lower.size() || lower[length] < 'a' || lower[length] > 'z';
  });
}

std::vector<std::string> SplitFolders::unused() const {
  std::vector<std::string> unused = others;
  if (!test.empty()) unused.insert(unused.end(), validation.begin(), validation.end());
  return unused;
}

std::string SplitFolders::of(DatasetOptions::Split split, const std::string& where) const {
  const bool wants_train = split == DatasetOptions::Split::train;
  const std::vector<std::string>& found = wants_train ? train : test.empty() ? validation : test;
  if (found.size() == 1) return found.front();
  throw ConfigError("images", where + ": expected one folder of the " +
                                  (wants_train ? "training" : "test") + " split, received " +
                                  found[0] + " and " + found[1] + "; give the path of one of them");
}

SplitFolders split_folders(const ImageListing& listing) {
  SplitFolders result;
  bool train_holds_folders = false;
  for (const auto& [folder, inside] : listing.folders) {
    const std::optional<SplitKind> kind = split_kind(folder);
    (!kind                       ? result.others
     : *kind == SplitKind::train ? result.train
     : *kind == SplitKind::test  ? result.test
                                 : result.validation)
        .push_back(folder);
    if (kind == SplitKind::train && holds_folders(inside, folder)) train_holds_folders = true;
  }
  result.are_splits = !result.train.empty() &&
                      !(result.test.empty() && result.validation.empty()) &&
                      (result.others.empty() || train_holds_folders);
  return result;
}

}  // namespace halfstep::data
