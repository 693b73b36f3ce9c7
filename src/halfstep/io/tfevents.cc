#include "halfstep/io/tfevents.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "halfstep/io/crc32c.h"
#include "halfstep/io/protobuf.h"

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

ProtoMessage event(double wall_time, std::int64_t step) {
  ProtoMessage event;
  event.float64(1, wall_time);
  event.integer(2, step);
  return event;
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
  ProtoMessage event;
  event.float64(1, wall_time);
  event.bytes(3, "brain.Event:2");
  return event.text();
}

std::string session_start_event(double wall_time, std::int64_t step) {
  ProtoMessage log;
  log.integer(1, 1);
  ProtoMessage start = event(wall_time, step);
  start.message(7, log);
  return start.text();
}

std::string scalars_event(double wall_time, std::int64_t step,
                          std::span<const EventScalar> values) {
  ProtoMessage summary;
  for (const EventScalar& scalar : values) {
    ProtoMessage value;
    value.bytes(1, scalar.tag);
    value.float32(2, static_cast<float>(scalar.value));
    summary.message(1, value);
  }
  ProtoMessage scalars = event(wall_time, step);
  scalars.message(5, summary);
  return scalars.text();
}

std::string image_event(double wall_time, std::int64_t step, std::string_view tag,
                        const Image& image, std::string_view png) {
  ProtoMessage encoded;
  encoded.integer(1, image.height);
  encoded.integer(2, image.width);
  encoded.integer(3, image.channels);
  encoded.bytes(4, png);
  ProtoMessage value;
  value.bytes(1, tag);
  value.message(4, encoded);
  ProtoMessage summary;
  summary.message(1, value);
  ProtoMessage image_of_step = event(wall_time, step);
  image_of_step.message(5, summary);
  return image_of_step.text();
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
