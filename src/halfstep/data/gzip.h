// Unpacks gzip (RFC 1952) in memory.
#ifndef HALFSTEP_DATA_GZIP_H_
#define HALFSTEP_DATA_GZIP_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

namespace halfstep::data {

// The largest unpacked size of a file. More throws FormatError, because a small gzip file can
// unpack to any size.
inline constexpr uint64_t kMaxUnpacked = uint64_t{4} << 30;  // 4 GiB

// Returns the unpacked members of `packed`, concatenated; zeros after the last member are ignored.
// Throws FormatError, naming `name`, if the data are not gzip, are cut short, have a wrong
// checksum, or unpack to more than `max_size` bytes.
std::string gunzip(std::string_view packed, std::string_view name,
                   uint64_t max_size = kMaxUnpacked);

// Returns whether `contents` begin with the magic of gzip.
bool is_gzip(std::string_view contents);

// Returns the first `size` unpacked bytes, or all if there are fewer. Throws FormatError, naming
// `name`, if the data before are not gzip.
std::string gunzip_beginning(std::string_view packed, std::string_view name, size_t size);

// Returns the contents of a file, unpacked if they begin with the gzip magic, whatever the file's
// name. Throws FormatError if they unpack to more than `max_size` bytes.
std::string read_maybe_gzip(const std::filesystem::path& path, uint64_t max_size = kMaxUnpacked);

}  // namespace halfstep::data

#endif  // HALFSTEP_DATA_GZIP_H_
