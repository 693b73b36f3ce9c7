#include "halfstep/io/disk.h"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <string>
#include <utility>

#include "halfstep/core/error.h"
#include "halfstep/io/system_calls.h"
#include "halfstep/io/system_error.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

std::string mebibytes(double bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MiB", bytes / (1 << 20));
  return text;
}

}  // namespace

AppendFile::AppendFile(fs::path path)
    : path_(std::move(path)), file_(path_, path_, O_WRONLY | O_CREAT | O_APPEND) {}

std::uint64_t AppendFile::append(std::string_view piece) {
  const off_t before = system_calls().lseek(file_.fd(), 0, SEEK_END);
  if (before < 0) fail_writing(path_, "a regular file", errno);
  try {
    file_.write(piece.data(), piece.size());
  } catch (const IoError&) {
    (void)system_calls().ftruncate(file_.fd(), before);
    throw;
  }
  return static_cast<std::uint64_t>(before) + piece.size();
}

void truncate_file(const fs::path& path, std::uint64_t bytes) {
  WritableFile file(path, path, O_WRONLY);
  file.truncate(bytes);
  file.close();
}

void sync_file(const fs::path& path) {
  if (!fs::exists(path)) return;
  WritableFile(path, path, O_WRONLY).sync();
  sync_folder(path.parent_path());
}

void make_folder(const fs::path& path) {
  const fs::path folder = path.filename().empty() ? path.parent_path() : path;
  const fs::path above = folder.parent_path();
  if (!above.empty() && above != folder && !fs::exists(above)) make_folder(above);
  if (!make_new_folder(folder) && !fs::is_directory(folder))
    fail_writing(folder, "a folder", ENOTDIR);
}

bool make_new_folder(const fs::path& path) {
  const bool made = system_calls().mkdir(path.c_str(), 0777) == 0;
  if (!made && errno != EEXIST) fail_writing(path, "to create this folder", errno);
  // Also for an existing folder: the process that created it may have been killed before its sync.
  sync_folder(path.parent_path());
  return made;
}

void require_space(const fs::path& folder, std::uint64_t bytes, std::string_view what) {
  struct statvfs disk = {};
  if (system_calls().statvfs(folder.c_str(), &disk) != 0) {
    fail_writing(folder, "to read the free space", errno);
  }
  const double free = static_cast<double>(disk.f_bavail) * static_cast<double>(disk.f_frsize);
  const auto wanted = static_cast<double>(bytes);
  if (disk.f_blocks == 0 || free >= wanted) return;
  throw IoError("disk", folder.string() + ": expected " + mebibytes(wanted) + " free for " +
                            std::string(what) + ", received " + mebibytes(free) +
                            "; free some space or choose another disk");
}

}  // namespace halfstep::io
