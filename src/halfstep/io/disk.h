// Files that grow, folders and disk space; io/file.h has whole files. Every failure is an IoError
// with the path, the system's reason and advice.
#ifndef HALFSTEP_IO_DISK_H_
#define HALFSTEP_IO_DISK_H_

#include <cstdint>
#include <filesystem>
#include <string_view>

#include "halfstep/io/writable_file.h"

namespace halfstep::io {

// A file that grows by whole pieces. Each piece is handed to the system before append() returns, so
// it survives if the process is killed. A power cut may lose pieces that were not synced. Not
// thread-safe.
class AppendFile {
 public:
  // Creates the file if it does not exist. The folder must exist.
  explicit AppendFile(std::filesystem::path path);

  // Appends a piece and returns the new length in bytes. On failure, removes what was written of
  // the piece before throwing.
  std::uint64_t append(std::string_view piece);

 private:
  std::filesystem::path path_;
  WritableFile file_;
};

// Truncates the file to `bytes`, which must not exceed its size.
void truncate_file(const std::filesystem::path& path, std::uint64_t bytes);

// Syncs the contents and the name of a file to disk. Does nothing if the file does not exist.
void sync_file(const std::filesystem::path& path);

// Creates a folder and its missing parents, and syncs their names to disk.
void make_folder(const std::filesystem::path& path);

// Creates one folder and syncs its name to disk. Returns false if the name is already in use.
bool make_new_folder(const std::filesystem::path& path);

// Throws IoError unless the disk of `folder` has `bytes` free for this user. `what` says in the
// message what the space is for. A file system that does not report its size passes the check.
void require_space(const std::filesystem::path& folder, std::uint64_t bytes, std::string_view what);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_DISK_H_
