#include "halfstep/checkpoint/checkpoint_every.h"

#include <charconv>

namespace halfstep {
namespace {

constexpr int64_t kMost = 1'000'000'000;

}  // namespace

std::string CheckpointEvery::text() const {
  return std::to_string(count) + (unit == 0 ? std::string() : std::string(1, unit));
}

std::optional<CheckpointEvery> CheckpointEvery::of(std::string_view text) {
  CheckpointEvery every;
  const char* const end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, every.count);
  if (error != std::errc() || every.count < 1 || every.count > kMost) return std::nullopt;
  if (rest == end) {
    every.unit = 0;
    return every;
  }
  every.unit = *rest;
  const bool known = every.unit == 's' || every.unit == 'm' || every.unit == 'h';
  return known && rest + 1 == end ? std::optional(every) : std::nullopt;
}

bool CheckpointEvery::due(int64_t update, std::chrono::duration<double> since) const {
  if (unit == 0) return update % count == 0;
  const double seconds = unit == 's' ? 1.0 : unit == 'm' ? 60.0 : 3600.0;
  return since.count() >= seconds * static_cast<double>(count);
}

}  // namespace halfstep
