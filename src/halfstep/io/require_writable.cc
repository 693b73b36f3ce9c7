#include "halfstep/io/require_writable.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "halfstep/io/system_error.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFileName = "a file name";
constexpr const char* kFolder = "a folder that takes new files";
// ".", ".halfstep-", a process id, "-", a counter and ".tmp": what AtomicFile adds to a name.
constexpr size_t kTemporaryCharacters = 28;

// Tries to make a file without a name in `folder`, which is what new files need. `path` is what
// messages name.
void require_takes_files(const fs::path& folder, const fs::path& path) {
  const fs::path place = folder.empty() ? fs::path(".") : folder;
#ifdef O_TMPFILE
  const int fd = ::open(place.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (fd >= 0) {
    ::close(fd);
    return;
  }
  const bool supported = errno != EOPNOTSUPP && errno != EISDIR && errno != EINVAL;
  if (supported) fail_writing(path, kFolder, errno);
#endif
  struct stat status = {};
  if (::stat(place.c_str(), &status) != 0) fail_writing(path, kFolder, errno);
  if (!S_ISDIR(status.st_mode)) fail_writing(path, kFolder, ENOTDIR);
  if (::access(place.c_str(), W_OK | X_OK) != 0) fail_writing(path, kFolder, errno);
}

}  // namespace

void require_writable_file(const fs::path& path) {
  std::error_code error;
  fs::path target = path;
  if (fs::is_symlink(path, error)) target = fs::canonical(path, error);
  if (error) target = path;  // AtomicFile replaces a broken link
  struct stat status = {};
  const bool exists = ::stat(target.c_str(), &status) == 0;
  if (!exists && errno != ENOENT) fail_writing(path, kFileName, errno);
  if (target.filename().empty() || (exists && S_ISDIR(status.st_mode)))
    fail_writing(path, kFileName, EISDIR);
  if (exists && !S_ISREG(status.st_mode)) {  // a device or a pipe is written directly
    if (::access(target.c_str(), W_OK) != 0) fail_writing(path, "a writable file", errno);
    return;
  }
  if (target.filename().native().size() + kTemporaryCharacters > NAME_MAX)
    fail_writing(path, kFileName, ENAMETOOLONG);
  require_takes_files(target.parent_path(), path);
}

void require_writable_folder(const fs::path& path) {
  if (path.empty()) fail_writing(path, "the name of a folder", ENOENT);
  fs::path existing = path;
  struct stat status = {};
  while (::stat(existing.c_str(), &status) != 0) {
    if (errno != ENOENT) fail_writing(path, kFolder, errno);
    if (existing.filename().native().size() > NAME_MAX) fail_writing(path, kFolder, ENAMETOOLONG);
    const fs::path above = existing.parent_path();
    if (above == existing) fail_writing(path, kFolder, ENOENT);
    existing = above.empty() ? fs::path(".") : above;
  }
  require_takes_files(existing, path);
}

}  // namespace halfstep::io
