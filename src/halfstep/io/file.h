// Whole files in and out. Every failure is an IoError with the path, the system's reason and what
// to do.
//
// A file is written atomically: to a temporary file beside it (".NAME.PID-K.tmp"), which is synced,
// renamed over the old one, and the folder synced. A crash, a kill or a full disk leaves either the
// old file or the new one. A symbolic link is followed: the file it names is replaced, not the
// link. A device or pipe (/dev/stdout, /dev/null) is written directly.
#ifndef HALFSTEP_IO_FILE_H_
#define HALFSTEP_IO_FILE_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "halfstep/io/writable_file.h"

namespace halfstep::io {

inline constexpr std::size_t kWholeFile = std::numeric_limits<std::size_t>::max();

// The contents, or their first `max_bytes`. Regular files and pipes; a folder or a device is an
// IoError.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes = kWholeFile);
std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                  std::size_t max_bytes = kWholeFile);

// Hands over the contents piece by piece, for files larger than memory.
void read_pieces(const std::filesystem::path& path,
                 const std::function<void(std::span<const std::byte>)>& take);

void write_file(const std::filesystem::path& path, std::string_view contents);
void write_file(const std::filesystem::path& path, std::span<const std::byte> contents);

class AtomicFile {
 public:
  // Opens the temporary file; the folder must exist.
  explicit AtomicFile(const std::filesystem::path& path);
  // Removes the temporary file, if there still is one.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  // The position of the next write and the bytes written so far, for formats that come back to fill
  // in a header. IoError on a pipe.
  std::uint64_t tell() const;
  std::uint64_t size() const;
  void seek(std::uint64_t position);

  // Makes the file appear under its name. Nothing may be written after it.
  void commit();

 private:
  std::filesystem::path path_;       // links resolved
  std::filesystem::path temporary_;  // empty: written directly, or committed
  WritableFile file_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_FILE_H_
