#include "halfstep/io/tfevents.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "halfstep/io/crc32c.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "events.out.tfevents.";
constexpr std::int64_t kLatestTime = 9'999'999'999;  // ten digits, so that names sort as numbers

template <class T>
std::string little_endian(T value) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(T); ++i) bytes += static_cast<char>((value >> (8 * i)) & 0xff);
  return bytes;
}

// ---- Protocol buffers: a field is a key (its number and wire type) followed by the value.
enum class Wire { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>((value & 0x7f) | 0x80);
  return bytes + static_cast<char>(value);
}

std::string key(int field, Wire wire) {
  return varint((static_cast<std::uint64_t>(field) << 3) | static_cast<std::uint64_t>(wire));
}

std::string integer_field(int field, std::int64_t value) {
  return key(field, Wire::varint) + varint(static_cast<std::uint64_t>(value));
}

std::string double_field(int field, double value) {
  return key(field, Wire::fixed64) + little_endian(std::bit_cast<std::uint64_t>(value));
}

std::string float_field(int field, double value) {
  return key(field, Wire::fixed32) +
         little_endian(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
}

std::string bytes_field(int field, std::string_view value) {
  return key(field, Wire::bytes) + varint(value.size()) + std::string(value);
}

std::string event(double wall_time, std::int64_t step) {
  return double_field(1, wall_time) + integer_field(2, step);
}

// ---- File names.

// Returns the latest time in the names of the event files in a folder, 0 if there are none.
std::int64_t latest_time(const fs::path& folder) {
  std::int64_t latest = 0;
  std::error_code ignored;  // creating the file reports an inaccessible folder
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix)) continue;
    std::int64_t time = 0;
    std::from_chars(name.data() + kPrefix.size(), name.data() + name.size(), time);
    if (time < kLatestTime) latest = std::max(latest, time);
  }
  return latest;
}

// Returns the host name with characters replaced that are not suitable for a file name.
std::string host_word() {
  std::array<char, 256> name{};
  ::gethostname(name.data(), name.size() - 1);
  std::string word = name.data();
  std::replace_if(
      word.begin(), word.end(),
      [](unsigned char c) { return std::isalnum(c) == 0 && c != '-' && c != '.'; }, '-');
  return word.empty() ? "host" : word;
}

std::string file_name(std::int64_t time) {
  std::array<char, 24> digits{};
  std::snprintf(digits.data(), digits.size(), "%010lld", static_cast<long long>(time));
  return std::string(kPrefix) + digits.data() + "." + host_word() + "." +
         std::to_string(::getpid()) + ".0";
}

}  // namespace

std::string version_event(double wall_time) {
  return double_field(1, wall_time) + bytes_field(3, "brain.Event:2");
}

std::string session_start_event(double wall_time, std::int64_t step) {
  return event(wall_time, step) + bytes_field(7, integer_field(1, 1));
}

std::string scalars_event(double wall_time, std::int64_t step,
                          std::span<const EventScalar> values) {
  std::string summary;
  for (const EventScalar& scalar : values)
    summary += bytes_field(1, bytes_field(1, scalar.tag) + float_field(2, scalar.value));
  return event(wall_time, step) + bytes_field(5, summary);
}

std::string image_event(double wall_time, std::int64_t step, std::string_view tag,
                        const Image& image, std::string_view png) {
  const std::string message = integer_field(1, image.height) + integer_field(2, image.width) +
                              integer_field(3, image.channels) + bytes_field(4, png);
  return event(wall_time, step) +
         bytes_field(5, bytes_field(1, bytes_field(1, tag) + bytes_field(4, message)));
}

std::string event_record(std::string_view event) {
  const std::string length = little_endian(static_cast<std::uint64_t>(event.size()));
  return length + little_endian(masked_crc32c(length)) + std::string(event) +
         little_endian(masked_crc32c(event));
}

EventFile::EventFile(const fs::path& folder, double wall_time)
    : path_(folder /
            file_name(std::max(static_cast<std::int64_t>(wall_time), latest_time(folder) + 1))),
      file_(path_) {
  append(version_event(wall_time));
}

void EventFile::append(std::string_view event) { file_.append(event_record(event)); }

}  // namespace halfstep::io
