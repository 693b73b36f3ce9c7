#include "halfstep/io/system_calls.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

namespace halfstep::io {
namespace {

std::atomic<SystemCalls*> replacement = nullptr;

}  // namespace

int SystemCalls::open(const char* path, int flags, mode_t mode) {
  return ::open(path, flags, mode);
}
ssize_t SystemCalls::write(int fd, const void* data, std::size_t size) {
  return ::write(fd, data, size);
}
off_t SystemCalls::lseek(int fd, off_t offset, int whence) { return ::lseek(fd, offset, whence); }
int SystemCalls::ftruncate(int fd, off_t size) { return ::ftruncate(fd, size); }
int SystemCalls::fchmod(int fd, mode_t mode) { return ::fchmod(fd, mode); }
int SystemCalls::fsync(int fd) { return ::fsync(fd); }
int SystemCalls::close(int fd) { return ::close(fd); }
int SystemCalls::rename(const char* from, const char* to) { return ::rename(from, to); }
int SystemCalls::unlink(const char* path) { return ::unlink(path); }
int SystemCalls::mkdir(const char* path, mode_t mode) { return ::mkdir(path, mode); }
int SystemCalls::flock(int fd, int operation) { return ::flock(fd, operation); }
int SystemCalls::statvfs(const char* path, struct statvfs* result) {
  return ::statvfs(path, result);
}

SystemCalls& system_calls() {
  static SystemCalls system;
  SystemCalls* const replaced = replacement.load();
  return replaced != nullptr ? *replaced : system;
}

ReplacedSystemCalls::ReplacedSystemCalls(SystemCalls& calls) { replacement = &calls; }
ReplacedSystemCalls::~ReplacedSystemCalls() { replacement = nullptr; }

}  // namespace halfstep::io
