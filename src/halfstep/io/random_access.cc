#include "halfstep/io/random_access.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <string>

#include "halfstep/core/error.h"

namespace halfstep::io {

namespace {

namespace fs = std::filesystem;

[[noreturn]] void fail(const fs::path& path, const std::string& expected,
                       const std::string& received, const char* what_to_do) {
  throw IoError("read_file", path.string() + ": expected " + expected + ", received " + received +
                                 "; " + what_to_do);
}

std::string reason(int error) { return std::string("\"") + std::strerror(error) + "\""; }

void read_all(int fd, const fs::path& path, std::uint64_t offset, std::span<std::byte> to) {
  while (!to.empty()) {
    const ssize_t got = ::pread(fd, to.data(), to.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) fail(path, "a readable file", reason(errno), "check the disk");
    if (got == 0) {
      fail(path, std::to_string(offset + to.size()) + " bytes", "only " + std::to_string(offset),
           "the file has been cut since it was opened");
    }
    offset += static_cast<std::uint64_t>(got);
    to = to.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

RandomAccessFile::RandomAccessFile(const fs::path& path)
    : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
  struct stat status = {};
  if (fd_ < 0 || ::fstat(fd_, &status) != 0) {
    const int error = errno;
    if (fd_ >= 0) ::close(fd_);
    fail(path, "a readable file", reason(error), "check the path and the permissions");
  }
  if (!S_ISREG(status.st_mode)) {
    ::close(fd_);
    fail(path, "a regular file", "another kind", "name a file on a disk");
  }
  size_ = static_cast<std::uint64_t>(status.st_size);
}

RandomAccessFile::~RandomAccessFile() { ::close(fd_); }

void RandomAccessFile::read_at(std::uint64_t offset, std::span<std::byte> to) const {
  read_all(fd_, path_, offset, to);
}

ScratchFile::ScratchFile() {
  const char* folder = std::getenv("TMPDIR");
  folder_ = folder != nullptr && *folder != '\0' ? folder : "/var/tmp";
  std::string name = (folder_ / "halfstep-XXXXXX").string();
  fd_ = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd_ < 0) {
    throw IoError("scratch file", folder_.string() + ": expected a folder to write to, received " +
                                      reason(errno) + "; set TMPDIR to one");
  }
  ::unlink(name.c_str());
}

ScratchFile::~ScratchFile() { ::close(fd_); }

void ScratchFile::append(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      throw IoError("scratch file", folder_.string() + ": expected room to unpack, received " +
                                        reason(errno) + "; set TMPDIR to a folder with more");
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
}

void ScratchFile::read_at(std::uint64_t offset, std::span<std::byte> to) const {
  read_all(fd_, folder_ / "scratch", offset, to);
}

}  // namespace halfstep::io
