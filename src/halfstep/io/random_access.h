// Random access to files, for data larger than memory. Files are read with pread instead of being
// mapped: a file that is truncated while it is open causes an IoError instead of killing the
// process, and its pages do not count as memory of the process (docs/decisions/020).
#ifndef HALFSTEP_IO_RANDOM_ACCESS_H_
#define HALFSTEP_IO_RANDOM_ACCESS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "halfstep/io/writable_file.h"

namespace halfstep::io {

// Thread-safe.
class RandomAccessFile {
 public:
  // Throws IoError unless `path` is a readable regular file.
  explicit RandomAccessFile(const std::filesystem::path& path);
  ~RandomAccessFile();
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;

  // Returns the size in bytes at the time of opening.
  std::uint64_t size() const { return size_; }

  // Fills `to` with the bytes at `offset`. Throws IoError if the file ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

// A temporary file for unpacked data that may be larger than memory. It lies in $TMPDIR or else in
// /var/tmp, has no name, and is deleted with this object or the process.
class ScratchFile {
 public:
  // Throws IoError if the file cannot be created or the disk has less than `bytes` free. `what`
  // says in the message what the space is for.
  ScratchFile(std::uint64_t bytes, std::string_view what);

  // Throws IoError if writing fails, for example because the disk is full. Not thread-safe.
  void append(std::span<const std::byte> bytes);
  // As RandomAccessFile::read_at; thread-safe.
  void read_at(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  std::filesystem::path path_;
  WritableFile file_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_RANDOM_ACCESS_H_
