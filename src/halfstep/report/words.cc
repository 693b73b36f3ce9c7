#include "halfstep/report/words.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace halfstep::report {
namespace {

std::string printed(const char* format, double value) {
  std::array<char, 64> digits{};
  std::snprintf(digits.data(), digits.size(), format, value);
  return digits.data();
}

std::string two_units(int64_t large, const char* large_unit, int64_t small,
                      const char* small_unit) {
  std::array<char, 64> words{};
  std::snprintf(words.data(), words.size(), "%lld %s %02lld %s", static_cast<long long>(large),
                large_unit, static_cast<long long>(small), small_unit);
  return words.data();
}

// Four digits that count of a number below 1, zeros at its end left out, and no exponent.
std::string small(double value) {
  const int places = 3 - static_cast<int>(std::floor(std::log10(std::fabs(value))));
  std::array<char, 64> digits{};
  std::snprintf(digits.data(), digits.size(), "%.*f", places, value);
  std::string words = digits.data();
  words.erase(words.find_last_not_of('0') + 1);
  return words;
}

}  // namespace

std::string grouped(int64_t value) {
  std::string digits = std::to_string(value);
  const auto first = static_cast<std::ptrdiff_t>(value < 0 ? 1 : 0);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string rounded(double value) {
  if (std::fabs(value) >= 999.5 && std::fabs(value) < 9e15) return grouped(std::llround(value));
  if (std::fabs(value) < 1e-3 && std::fabs(value) >= 1e-7) return small(value);
  return printed("%.4g", value);
}

std::string with_prefix(double value, std::string_view unit) {
  static constexpr std::array<const char*, 8> kPrefixes = {"", "k", "M", "G", "T", "P", "E", "Z"};
  size_t prefix = 0;
  while (std::fabs(value) >= 999.5 && prefix + 1 < kPrefixes.size()) {
    value /= 1000.0;
    ++prefix;
  }
  return printed("%.3g", value) + " " + kPrefixes[prefix] + std::string(unit);
}

std::string duration(double seconds) {
  if (seconds < 9.995) return printed("%.2f s", seconds);
  if (seconds < 59.95) return printed("%.1f s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 3600) return two_units(whole / 60, "min", whole % 60, "s");
  const int64_t minutes = std::llround(seconds / 60.0);
  return two_units(minutes / 60, "h", minutes % 60, "min");
}

std::string counted(int64_t count, const std::string& noun) {
  return grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace halfstep::report
