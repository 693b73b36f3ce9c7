#include "halfstep/report/axis.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <span>

#include "halfstep/report/words.h"

namespace halfstep::report {
namespace {

// The limits leave room for the margins around values that can be drawn.
bool is_divisible(double low, double high, Scale scale) {
  constexpr double kLimit = 1e300;
  if (!(low < high) || low < -kLimit || high > kLimit) return false;
  if (scale != Scale::linear && low < 1.0 / kLimit) return false;
  const double size = std::max(std::fabs(low), std::fabs(high));
  return high - low > std::max(1e-10 * size, 1.0 / kLimit);
}

// Returns the multiples of a step in [low, high]. The step is the smallest of 1, 2 or 5 times a
// power of ten that gives at most about `at_most` of them.
std::vector<double> even_ticks(double low, double high, int at_most) {
  const double least = (high - low) / at_most;
  const double power = std::pow(10.0, std::floor(std::log10(least)));
  double step = 10.0 * power;
  for (const double multiple : {5.0, 2.0, 1.0}) {
    if (multiple * power >= least * (1.0 - 1e-9)) step = multiple * power;
  }
  std::vector<double> made;
  const double slack = 1e-9 * (high - low);  // keeps a tick at an end of the axis despite rounding
  const auto first = std::llround(std::ceil((low - slack) / step));
  for (auto k = first; static_cast<double>(k) * step <= high + slack; ++k)
    made.push_back(static_cast<double>(k) * step);
  return made;
}

// Returns base^k in [low, high] for every k that is a multiple of a stride, chosen to give at most
// about `at_most` of them.
std::vector<double> power_ticks(double low, double high, double base, int at_most) {
  const auto first = std::llround(std::ceil(std::log(low) / std::log(base) - 1e-9));
  const auto last = std::llround(std::floor(std::log(high) / std::log(base) + 1e-9));
  const auto stride = std::max<long long>(1, (last - first + at_most - 1) / at_most);
  std::vector<double> made;
  for (auto k = first; k <= last; ++k) {
    if (k % stride == 0) made.push_back(std::pow(base, static_cast<double>(k)));
  }
  return made;
}

std::vector<double> divided_decades(double low, double high, std::span<const double> multiples) {
  std::vector<double> made;
  for (double decade = std::floor(std::log10(low)); decade <= std::log10(high); ++decade) {
    for (const double multiple : multiples) {
      const double tick = multiple * std::pow(10.0, decade);
      if (tick >= low * (1.0 - 1e-9) && tick <= high * (1.0 + 1e-9)) made.push_back(tick);
    }
  }
  return made;
}

}  // namespace

bool can_be_drawn(double value, Scale scale) {
  constexpr double kLargest = 1e250;
  if (!(std::fabs(value) <= kLargest)) return false;
  return scale == Scale::linear || value >= 1.0 / kLargest;
}

double axis_position(double value, double low, double high, Scale scale) {
  if (scale == Scale::linear) return (value - low) / (high - low);
  return (std::log(value) - std::log(low)) / (std::log(high) - std::log(low));
}

std::vector<double> axis_ticks(double low, double high, Scale scale, int at_most) {
  if (!is_divisible(low, high, scale)) return {};
  if (scale == Scale::linear) return even_ticks(low, high, at_most);
  if (scale == Scale::log2) {
    std::vector<double> powers = power_ticks(low, high, 2.0, at_most);
    if (powers.size() >= 2) return powers;
    const std::vector<double> ticks = even_ticks(low, high, at_most);
    std::vector<double> whole;  // numbers of steps
    std::ranges::copy_if(ticks, std::back_inserter(whole),
                         [](double tick) { return tick == std::round(tick); });
    return whole.empty() ? ticks : whole;
  }
  constexpr size_t kFewest = 3;
  constexpr std::array<double, 3> kMultiples = {1.0, 2.0, 5.0};
  constexpr std::array<double, 2> kFewerMultiples = {1.0, 3.0};
  const auto most = static_cast<size_t>(at_most) + 1;
  std::vector<double> made = divided_decades(low, high, kMultiples);
  if (made.size() > most) made = divided_decades(low, high, kFewerMultiples);
  if (made.size() > most) made = power_ticks(low, high, 10.0, at_most);
  return made.size() >= kFewest || high >= 10.0 * low ? made : even_ticks(low, high, at_most);
}

std::string tick_text(double value) {
  const double size = std::fabs(value);
  if (size >= 1e12) {
    std::string digits = printed("%.4g", value);
    if (const size_t plus = digits.find('+'); plus != std::string::npos) digits.erase(plus, 1);
    return digits;
  }
  const char* suffix = size >= 1e6 ? "M" : size >= 1e4 ? "k" : "";
  const double shown = size >= 1e6 ? value / 1e6 : size >= 1e4 ? value / 1e3 : value;
  std::string digits = printed("%.4g", shown);
  const size_t exponent = digits.find("e-0");
  if (exponent != std::string::npos) digits.erase(exponent + 2, 1);
  return digits + suffix;
}

}  // namespace halfstep::report
