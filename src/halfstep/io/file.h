// Reads and writes whole files. Every failure is an IoError with the path, the system's reason and
// advice.
//
// Files are written atomically: the contents go to a temporary file in the same folder
// (".NAME.halfstep-PID-K.tmp"), which is synced and renamed over the old file, and then the folder
// is synced. A crash, a kill, a power cut or a full disk leaves either the old file or the new one.
// A kill leaves the temporary file, too: the next process that writes into the folder removes it.
// Symbolic links are followed: the target is replaced, not the link. Devices and pipes
// (/dev/stdout, /dev/null) are written directly.
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

// Return the contents of a file, or its first `max_bytes`. Regular files and pipes can be read; a
// folder, a device, or a pipe to which nothing is written within 5 seconds is an IoError.
std::string read_file(const std::filesystem::path& path, std::size_t max_bytes = kWholeFile);
std::vector<std::byte> read_bytes(const std::filesystem::path& path,
                                  std::size_t max_bytes = kWholeFile);

// Calls `consume` with the contents piece by piece, for files larger than memory.
void read_pieces(const std::filesystem::path& path,
                 const std::function<void(std::span<const std::byte>)>& consume);

// Write a whole file atomically.
void write_file(const std::filesystem::path& path, std::string_view contents);
void write_file(const std::filesystem::path& path, std::span<const std::byte> contents);

// Removes the temporary files, in a folder and the folders below it, whose writers have ended. A
// writer holds a lock on its file; where the file system has no locks, nothing is removed. Failures
// are ignored.
void remove_left_temporaries(const std::filesystem::path& folder);

// A file that appears under its name when it is complete. Not thread-safe.
class AtomicFile {
 public:
  // Opens the temporary file. The folder must exist.
  explicit AtomicFile(const std::filesystem::path& path);
  // Removes the temporary file unless commit() has succeeded.
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text);

  // Position of the next write, number of bytes written, and moving the position: for formats that
  // fill in a header later. Throw IoError for a pipe.
  std::uint64_t tell() const;
  std::uint64_t size() const;
  void seek(std::uint64_t position);

  // Syncs the file and moves it to its name. Nothing may be written afterwards.
  void commit();

 private:
  std::filesystem::path path_;       // with links resolved
  std::filesystem::path temporary_;  // empty if the file is written directly or committed
  WritableFile file_;
  int lock_ = -1;  // keeps the temporary file locked until it has its name
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_FILE_H_
