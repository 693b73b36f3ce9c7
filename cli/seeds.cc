#include "cli/seeds.h"

#include <charconv>
#include <string_view>

#include "halfstep/core/error.h"

namespace halfstep::cli {
namespace {

constexpr uint64_t kMostSeeds = 10'000'000;

[[noreturn]] void fail(const std::string& text) {
  throw ConfigError(
      "--seeds", "expected numbers and ranges such as 0-63 or 1,5,7-9, received \"" + text + "\"");
}

uint64_t parse_number(std::string_view word, const std::string& text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
  if (error != std::errc() || end != word.data() + word.size()) fail(text);
  return value;
}

}  // namespace

std::vector<uint64_t> parse_seeds(const std::string& text) {
  std::vector<uint64_t> seeds;
  std::string_view rest = text;
  while (true) {
    const std::string_view part = rest.substr(0, rest.find(','));
    const size_t dash = part.find('-');
    const uint64_t first = parse_number(part.substr(0, dash), text);
    const uint64_t last =
        dash == std::string_view::npos ? first : parse_number(part.substr(dash + 1), text);
    if (last < first) {
      throw ConfigError(
          "--seeds", "expected ranges from a smaller to a larger seed, such as 0-63, received \"" +
                         text + "\"");
    }
    if (last - first >= kMostSeeds || seeds.size() + (last - first) >= kMostSeeds) {
      throw ConfigError("--seeds", "expected at most " + std::to_string(kMostSeeds) +
                                       " seeds, received \"" + text + "\"");
    }
    for (uint64_t seed = first;; ++seed) {
      seeds.push_back(seed);
      if (seed == last) break;
    }
    if (part.size() == rest.size()) return seeds;
    rest.remove_prefix(part.size() + 1);
  }
}

}  // namespace halfstep::cli
