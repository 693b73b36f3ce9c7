// The system calls that write files, in one table. Tests replace the table to make calls fail and
// to compute what a power cut may leave on disk (docs/decisions/016).
#ifndef HALFSTEP_IO_SYSTEM_CALLS_H_
#define HALFSTEP_IO_SYSTEM_CALLS_H_

#include <sys/statvfs.h>
#include <sys/types.h>

#include <cstddef>

namespace halfstep::io {

// Each function makes the system call of the same name and sets errno as it does. Must be
// thread-safe.
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

// Returns the table that all writers of this process use.
SystemCalls& system_calls();

// Replaces the table by `calls` for as long as the object lives. For tests; only one may exist at a
// time.
class ReplacedSystemCalls {
 public:
  explicit ReplacedSystemCalls(SystemCalls& calls);
  ~ReplacedSystemCalls();
  ReplacedSystemCalls(const ReplacedSystemCalls&) = delete;
  ReplacedSystemCalls& operator=(const ReplacedSystemCalls&) = delete;
};

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_SYSTEM_CALLS_H_
