#include "halfstep/data/tar.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "halfstep/core/error.h"

namespace halfstep::data {
namespace {

constexpr size_t kBlock = 512;

std::string_view text_field(std::string_view header, size_t offset, size_t length) {
  const std::string_view field = header.substr(offset, length);
  return field.substr(0, field.find('\0'));
}

// Returns the value of an octal field, which may be padded with spaces, or nullopt if it is
// invalid.
std::optional<uint64_t> octal_field(std::string_view header, size_t offset, size_t length) {
  std::string_view digits = text_field(header, offset, length);
  const size_t begin = digits.find_first_not_of(' ');
  if (begin == digits.npos) return std::nullopt;
  digits = digits.substr(begin, digits.find_last_not_of(' ') + 1 - begin);
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 8);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

// Returns the sum of the header's bytes, with the checksum field itself counted as spaces.
uint64_t checksum(std::string_view header) {
  uint64_t sum = 0;
  for (size_t i = 0; i < kBlock; ++i) {
    sum += i >= 148 && i < 156 ? ' ' : static_cast<unsigned char>(header[i]);
  }
  return sum;
}

}  // namespace

std::vector<TarMember> read_tar(std::string_view archive, std::string_view name) {
  const auto fail = [&](const std::string& expected) {
    throw FormatError("tar", std::string(name) + ": expected " + expected +
                                 ", received something else; download the file again");
  };
  std::vector<TarMember> members;
  while (!archive.empty()) {
    if (archive.size() < kBlock) fail("a header of 512 bytes");
    const std::string_view header = archive.substr(0, kBlock);
    archive.remove_prefix(kBlock);
    if (header.find_first_not_of('\0') == header.npos) break;
    if (octal_field(header, 148, 8) != checksum(header)) fail("a header with a valid checksum");
    const std::optional<uint64_t> size = octal_field(header, 124, 12);
    if (!size || *size > archive.size()) fail("a member that ends within the file");

    const char type = header[156];
    if (type == '0' || type == '\0') {
      const bool is_ustar = header.substr(257, 5) == "ustar";
      std::string path(is_ustar ? text_field(header, 345, 155) : std::string_view());
      if (!path.empty()) path += '/';
      path += text_field(header, 0, 100);
      members.push_back({std::move(path), archive.substr(0, *size)});
    }
    const size_t padded = (*size + kBlock - 1) / kBlock * kBlock;
    archive.remove_prefix(std::min<size_t>(padded, archive.size()));
  }
  return members;
}

}  // namespace halfstep::data
