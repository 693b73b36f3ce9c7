#include "halfstep/report/words.h"

#include <array>
#include <cmath>
#include <cstdio>

namespace halfstep::report {
namespace {

// "2 min 05 s"
std::string two_units(int64_t large, const char* large_unit, int64_t small,
                      const char* small_unit) {
  return std::to_string(large) + " " + large_unit + (small < 10 ? " 0" : " ") +
         std::to_string(small) + " " + small_unit;
}

// Four significant digits of a number below 1, without trailing zeros or an exponent.
std::string below_one(double value) {
  const int places = 3 - static_cast<int>(std::floor(std::log10(std::fabs(value))));
  std::string digits = printed(("%." + std::to_string(places) + "f").c_str(), value);
  digits.erase(digits.find_last_not_of('0') + 1);
  return digits;
}

}  // namespace

std::string printed(const char* format, double value) {
  std::array<char, 64> digits{};
  std::snprintf(digits.data(), digits.size(), format, value);
  return digits.data();
}

std::string grouped(int64_t value) {
  std::string digits = std::to_string(value);
  const auto first = static_cast<std::ptrdiff_t>(value < 0 ? 1 : 0);
  for (auto at = static_cast<std::ptrdiff_t>(digits.size()) - 3; at > first; at -= 3)
    digits.insert(static_cast<size_t>(at), ",");
  return digits;
}

std::string rounded(double value) {
  if (std::fabs(value) >= 999.5 && std::fabs(value) < 9e15) return grouped(std::llround(value));
  if (std::fabs(value) < 1e-3 && std::fabs(value) >= 1e-7) return below_one(value);
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
  if (!(seconds < 1e15)) return printed("%.3g s", seconds);
  const int64_t whole = std::llround(seconds);
  if (whole < 3600) return two_units(whole / 60, "min", whole % 60, "s");
  const int64_t minutes = std::llround(seconds / 60.0);
  return two_units(minutes / 60, "h", minutes % 60, "min");
}

std::string counted(int64_t count, const std::string& noun) {
  return grouped(count) + " " + noun + (count == 1 ? "" : "s");
}

}  // namespace halfstep::report
