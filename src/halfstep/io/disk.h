// Beside whole files (io/file.h): files that grow, folders, space. Failures are IoErrors with the
// path, the system's reason and what to do.
#ifndef HALFSTEP_IO_DISK_H_
#define HALFSTEP_IO_DISK_H_

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "halfstep/io/writable_file.h"

namespace halfstep::io {

// Grows by whole pieces: each is handed to the system before append returns, so a process that is
// killed leaves a file that reads up to there. A power cut may take all that was not synced.
class AppendFile {
 public:
  // Made where it is not there; the folder must be.
  explicit AppendFile(std::filesystem::path path);

  // Returns the new length in bytes. A piece that does not fit is taken back before the error.
  std::uint64_t append(std::string_view piece);

 private:
  std::filesystem::path path_;
  WritableFile file_;
};

// Cuts the file to `bytes`, which it must have.
void truncate_file(const std::filesystem::path& path, std::uint64_t bytes);

// The contents and the name onto the disk; nothing to do where there is no such file.
void sync_file(const std::filesystem::path& path);

// Makes the folder and those above it that are missing, and their names last through a power cut.
void make_folder(const std::filesystem::path& path);

// Makes this one folder; false where there is something of that name.
bool make_new_folder(const std::filesystem::path& path);

// IoError unless the disk of `folder` has this many bytes free for this user; `what` is what they
// are for. A file system that does not say how large it is has room.
void require_space(const std::filesystem::path& folder, std::uint64_t bytes, std::string_view what);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_DISK_H_
