// Unpacking gzip (RFC 1952) in memory.
#ifndef HALFSTEP_DATA_GZIP_H_
#define HALFSTEP_DATA_GZIP_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace halfstep::data {

// What a file may unpack to; more is FormatError (a small gzip file can claim any size).
inline constexpr uint64_t kMaxUnpacked = uint64_t{4} << 30;  // 4 GiB

// Unpacks every member of `packed`; zeros after the last are padding. Throws FormatError naming
// `name` for what is not gzip, is cut short, fails its checksum or unpacks to more than `max_size`
// bytes.
std::string gunzip(std::string_view packed, std::string_view name,
                   uint64_t max_size = kMaxUnpacked);

// The file's contents, unpacked where they begin as gzip does, whatever the file's name.
std::string read_maybe_gzip(const std::filesystem::path& path);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_GZIP_H_
