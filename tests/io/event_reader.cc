#include "tests/io/event_reader.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <stdexcept>

#include "halfstep/io/crc32c.h"
#include "halfstep/io/file.h"

namespace halfstep::io {
namespace {

uint64_t little_endian(std::string_view bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[i]);
  return value;
}

// The value of a field: a number (varint or fixed) or bytes.
struct Field {
  uint64_t number = 0;
  uint64_t value = 0;
  std::string_view bytes;
};

uint64_t take_varint(std::string_view& message) {
  uint64_t value = 0;
  for (int shift = 0;; shift += 7) {
    if (message.empty() || shift > 63) throw std::runtime_error("a varint without an end");
    const auto byte = static_cast<unsigned char>(message.front());
    message.remove_prefix(1);
    value |= static_cast<uint64_t>(byte & 0x7f) << shift;
    if (byte < 0x80) return value;
  }
}

std::string_view take(std::string_view& message, uint64_t size) {
  if (message.size() < size) throw std::runtime_error("a field beyond its message");
  const std::string_view bytes = message.substr(0, size);
  message.remove_prefix(size);
  return bytes;
}

void each_field(std::string_view message, const std::function<void(const Field&)>& see) {
  while (!message.empty()) {
    const uint64_t key = take_varint(message);
    Field field{.number = key >> 3};
    switch (key & 7) {
      case 0:
        field.value = take_varint(message);
        break;
      case 1:
        field.value = little_endian(take(message, 8));
        break;
      case 2:
        field.bytes = take(message, take_varint(message));
        break;
      case 5:
        field.value = little_endian(take(message, 4));
        break;
      default:
        throw std::runtime_error("no such wire type");
    }
    see(field);
  }
}

[[noreturn]] void refuse(const char* message, const Field& field) {
  throw std::runtime_error(std::string(message) + " has no field " + std::to_string(field.number));
}

ReadImage read_image_message(std::string_view message) {
  ReadImage image;
  each_field(message, [&](const Field& field) {
    switch (field.number) {
      case 1:
        image.height = field.value;
        break;
      case 2:
        image.width = field.value;
        break;
      case 3:
        image.colorspace = field.value;
        break;
      case 4:
        image.png = field.bytes;
        break;
      default:
        refuse("Image", field);
    }
  });
  return image;
}

void read_value(std::string_view message, ReadEvent& event) {
  std::string tag;
  each_field(message, [&](const Field& field) {
    switch (field.number) {
      case 1:
        tag = field.bytes;
        break;
      case 2:
        event.scalars[tag] = std::bit_cast<float>(static_cast<uint32_t>(field.value));
        break;
      case 4:
        event.images[tag] = read_image_message(field.bytes);
        break;
      default:
        refuse("Value", field);
    }
  });
}

}  // namespace

std::vector<std::string> read_records(std::string_view file) {
  std::vector<std::string> records;
  while (file.size() >= 12) {
    const std::string_view header = file.substr(0, 8);
    const uint64_t length = little_endian(header);
    if (little_endian(file.substr(8, 4)) != masked_crc32c(header))
      throw std::runtime_error("the checksum of a length is wrong");
    if (file.size() - 12 < length + 4) break;
    const std::string_view data = file.substr(12, length);
    if (little_endian(file.substr(12 + length, 4)) != masked_crc32c(data))
      throw std::runtime_error("the checksum of a record is wrong");
    records.emplace_back(data);
    file.remove_prefix(16 + length);
  }
  return records;
}

ReadEvent read_event(std::string_view message) {
  ReadEvent event;
  each_field(message, [&](const Field& field) {
    switch (field.number) {
      case 1:
        event.wall_time = std::bit_cast<double>(field.value);
        break;
      case 2:
        event.step = static_cast<int64_t>(field.value);
        break;
      case 3:
        event.file_version = field.bytes;
        break;
      case 5:
        each_field(field.bytes, [&](const Field& value) { read_value(value.bytes, event); });
        break;
      case 7:
        event.session_start = field.bytes == "\x08\x01";
        break;
      default:
        refuse("Event", field);
    }
  });
  return event;
}

std::vector<ReadEvent> read_event_file(const std::filesystem::path& path) {
  std::vector<ReadEvent> events;
  for (const std::string& record : read_records(read_file(path)))
    events.push_back(read_event(record));
  return events;
}

std::vector<std::filesystem::path> event_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().find("tfevents") != std::string::npos)
      files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace halfstep::io
