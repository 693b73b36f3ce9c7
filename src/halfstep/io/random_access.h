// Bytes at any place of a file, for data larger than memory. Read by pread, not mapped: a file that
// is cut short meanwhile is an IoError and not the end of the process, and what was read does not
// count as memory of the process (docs/decisions/020).
#ifndef HALFSTEP_IO_RANDOM_ACCESS_H_
#define HALFSTEP_IO_RANDOM_ACCESS_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string_view>

#include "halfstep/io/writable_file.h"

namespace halfstep::io {

class RandomAccessFile {
 public:
  // IoError unless it is a regular file that can be read.
  explicit RandomAccessFile(const std::filesystem::path& path);
  ~RandomAccessFile();
  RandomAccessFile(const RandomAccessFile&) = delete;
  RandomAccessFile& operator=(const RandomAccessFile&) = delete;

  std::uint64_t size() const { return size_; }  // when it was opened

  // Fills `to` from `offset` on; may be called from several threads at once. IoError where the file
  // ends before.
  void read_at(std::uint64_t offset, std::span<std::byte> to) const;

 private:
  std::filesystem::path path_;
  int fd_ = -1;
  std::uint64_t size_ = 0;
};

// A file without a name, in the folder that TMPDIR names or in /var/tmp, gone with this object: for
// what must be unpacked and may be larger than memory.
class ScratchFile {
 public:
  // IoError where none can be made or `bytes` do not fit on its disk; `what` is what they are for.
  ScratchFile(std::uint64_t bytes, std::string_view what);

  void append(std::span<const std::byte> bytes);  // IoError, when the disk is full among others
  void read_at(std::uint64_t offset, std::span<std::byte> to) const;  // as RandomAccessFile's

 private:
  std::filesystem::path path_;
  WritableFile file_;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_RANDOM_ACCESS_H_
