#include "cli/values.h"

#include <algorithm>
#include <cctype>

#include "halfstep/core/utf8.h"

namespace halfstep::cli {

std::filesystem::path path_of(const std::string& text, const std::string& flag) {
  if (text.empty()) throw ConfigError(flag, "expected a path, received an empty one");
  if (is_utf8(text)) return text;
  throw ConfigError(flag, "expected a path in UTF-8, received " + io::quote(text) +
                              "; rename the file or folder");
}

std::string place_of(const std::string& name) {
  std::string place = name.substr(0, name.find(','));
  if (!name.starts_with("-")) {
    std::ranges::transform(place, place.begin(), [](unsigned char c) { return std::toupper(c); });
  }
  return place;
}

CLI::Option* offer(CLI::Option* option, const std::vector<std::string>& words) {
  std::string list;
  for (const std::string& word : words) list += (list.empty() ? "" : ",") + word;
  // A check that always succeeds. CLI11 appends its description to the name of the type.
  return option->check(
      CLI::Validator([](std::string&) { return std::string(); }, "{" + list + "}"));
}

}  // namespace halfstep::cli
