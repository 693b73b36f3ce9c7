#include "halfstep/io/random_access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <string>

#include "halfstep/io/disk.h"
#include "halfstep/io/system_calls.h"
#include "halfstep/io/system_error.h"

namespace halfstep::io {

namespace {

namespace fs = std::filesystem;

void read_all(int fd, const fs::path& path, std::uint64_t offset, std::span<std::byte> to) {
  while (!to.empty()) {
    const ssize_t got = ::pread(fd, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail_reading(path, "a readable file", errno_text(errno), "check the disk");
    if (got == 0) {
      fail_reading(path, std::to_string(offset + to.size()) + " bytes",
                   "only " + std::to_string(offset), "the file was truncated after it was opened");
    }
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

RandomAccessFile::RandomAccessFile(const fs::path& path)
    : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
  struct stat status = {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    fail_reading(path, "a readable file", errno_text(error), "check the path and the permissions");
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd_);
    fail_reading(path, "a regular file",
                 S_ISDIR(status.st_mode) ? "a folder" : "a pipe or a device",
                 "name a file on a disk");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

RandomAccessFile::~RandomAccessFile() { ::close(fd_); }

void RandomAccessFile::read_at(std::uint64_t offset, std::span<std::byte> to) const {
  read_all(fd_, path_, offset, to);
}

ScratchFile::ScratchFile(std::uint64_t bytes, std::string_view what) {
  static std::atomic<unsigned> counter = 0;
  const char* named = std::getenv("TMPDIR");
  const fs::path folder = named != nullptr && *named != '\0' ? named : "/var/tmp";
  require_space(folder, bytes, what);
  path_ = folder /
          (".halfstep." + std::to_string(::getpid()) + "-" + std::to_string(counter++) + ".tmp");
  file_ = WritableFile(path_, path_, O_RDWR | O_CREAT | O_EXCL);
  if (system_calls().unlink(path_.c_str()) != 0) fail_writing(path_, "to unlink it", errno);
}

void ScratchFile::append(std::span<const std::byte> bytes) {
  file_.write(bytes.data(), bytes.size());
}

void ScratchFile::read_at(std::uint64_t offset, std::span<std::byte> to) const {
  read_all(file_.fd(), path_, offset, to);
}

}  // namespace halfstep::io
