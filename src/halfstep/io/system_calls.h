// Every system call through which files are written, in one table. Tests put another in its place:
// to make any call fail, and to know what a power cut may leave (docs/decisions/016).
#ifndef HALFSTEP_IO_SYSTEM_CALLS_H_
#define HALFSTEP_IO_SYSTEM_CALLS_H_

#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstddef>

namespace halfstep::io {

// Each does what the call of its name does, errno included. Called from several threads at once.
class SystemCalls {
 public:
  virtual ~SystemCalls() = default;
  virtual int open(const char* path, int flags, mode_t mode);
  virtual ssize_t write(int fd, const void* data, std::size_t size);
  virtual off_t lseek(int fd, off_t offset, int whence);
  virtual int ftruncate(int fd, off_t size);
  virtual int fchmod(int fd, mode_t mode);
  virtual int fsync(int fd);
  virtual int close(int fd);
  virtual int rename(const char* from, const char* to);
  virtual int unlink(const char* path);
  virtual int mkdir(const char* path, mode_t mode);
  virtual int flock(int fd, int operation);
  virtual int statvfs(const char* path, struct statvfs* result);
};

// What all writers of this process call: the system, or a test's.
SystemCalls& system_calls();

// While it lives, `calls` takes the system's place. For tests; one at a time.
class ReplacedSystemCalls {
 public:
  explicit ReplacedSystemCalls(SystemCalls& calls);
  ~ReplacedSystemCalls();
  ReplacedSystemCalls(const ReplacedSystemCalls&) = delete;
  ReplacedSystemCalls& operator=(const ReplacedSystemCalls&) = delete;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_SYSTEM_CALLS_H_
