#include "halfstep/io/writable_file.h"

#include <fcntl.h>

#include <cerrno>
#include <utility>

#include "halfstep/io/system_calls.h"
#include "halfstep/io/system_error.h"

namespace halfstep::io {
namespace {

namespace fs = std::filesystem;

// Repeats `call` until no signal interrupts it.
template <class Call>
auto completed(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace

WritableFile::WritableFile(fs::path path, const fs::path& opened, int flags)
    : path_(std::move(path)),
      fd_(completed([&] { return system_calls().open(opened.c_str(), flags | O_CLOEXEC, 0666); })) {
  if (fd_ < 0) fail_writing(path_, "a writable file", errno);
}

WritableFile::~WritableFile() {
  if (fd_ >= 0) system_calls().close(fd_);
}

WritableFile::WritableFile(WritableFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::exchange(other.fd_, -1)) {}

WritableFile& WritableFile::operator=(WritableFile&& other) noexcept {
  std::swap(path_, other.path_);
  std::swap(fd_, other.fd_);
  return *this;
}

void WritableFile::write(const void* data, std::size_t size) {
  const char* next = static_cast<const char*>(data);
  while (size > 0) {
    const ssize_t written = completed([&] { return system_calls().write(fd_, next, size); });
    if (written <= 0) fail_writing(path_, "to write", written < 0 ? errno : EIO);
    next += written;
    size -= static_cast<std::size_t>(written);
  }
}

void WritableFile::truncate(std::uint64_t bytes) {
  const auto size = static_cast<off_t>(bytes);
  if (completed([&] { return system_calls().ftruncate(fd_, size); }) != 0)
    fail_writing(path_, "to truncate it", errno);
}

void WritableFile::sync() {
  // Not repeated after an error: the system may then report unwritten pages as written.
  if (completed([&] { return system_calls().fsync(fd_); }) != 0)
    fail_writing(path_, "to sync", errno);
}

void WritableFile::close() {
  // Some file systems report a full disk only here. EINTR is no error: the file is closed anyway.
  if (system_calls().close(std::exchange(fd_, -1)) != 0 && errno != EINTR)
    fail_writing(path_, "to close", errno);
}

void sync_folder(const fs::path& folder) {
  const fs::path& path = folder.empty() ? "." : folder;
  const int fd = completed(
      [&] { return system_calls().open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0); });
  if (fd < 0) return;
  const int result = completed([&] { return system_calls().fsync(fd); });
  const int error = errno;
  system_calls().close(fd);
  if (result != 0 && error != EINVAL) fail_writing(folder, "to sync the folder", error);
}

}  // namespace halfstep::io
