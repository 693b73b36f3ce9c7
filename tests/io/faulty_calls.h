// Makes single system calls fail.
#ifndef HALFSTEP_TESTS_IO_FAULTY_CALLS_H_
#define HALFSTEP_TESTS_IO_FAULTY_CALLS_H_

#include <algorithm>
#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "halfstep/io/system_calls.h"

namespace halfstep::io {

// Makes all calls except number `at` (from 0), which fails with `error` or, for kShortWrite, writes
// only one byte. Records the names of the calls.
class FaultyCalls final : public SystemCalls {
 public:
  static constexpr int kShortWrite = -1;

  explicit FaultyCalls(std::size_t at = SIZE_MAX, int error = 0) : at_(at), error_(error) {}

  const std::vector<std::string>& names() const { return names_; }

  int open(const char* path, int flags, mode_t mode) override {
    return fails("open") ? -1 : SystemCalls::open(path, flags, mode);
  }
  ssize_t write(int fd, const void* data, std::size_t size) override {
    if (!fails("write")) return SystemCalls::write(fd, data, size);
    return error_ == kShortWrite ? SystemCalls::write(fd, data, std::min<std::size_t>(size, 1))
                                 : -1;
  }
  off_t lseek(int fd, off_t offset, int whence) override {
    return fails("lseek") ? -1 : SystemCalls::lseek(fd, offset, whence);
  }
  int ftruncate(int fd, off_t size) override {
    return fails("ftruncate") ? -1 : SystemCalls::ftruncate(fd, size);
  }
  int fchmod(int fd, mode_t mode) override {
    return fails("fchmod") ? -1 : SystemCalls::fchmod(fd, mode);
  }
  int fsync(int) override { return fails("fsync") ? -1 : 0; }  // the real one is slow
  int close(int fd) override {
    // The descriptor is closed even if close() reports an error.
    const bool failed = fails("close");
    const int result = SystemCalls::close(fd);
    if (failed) errno = error_;
    return failed ? -1 : result;
  }
  int rename(const char* from, const char* to) override {
    return fails("rename") ? -1 : SystemCalls::rename(from, to);
  }
  int unlink(const char* path) override { return fails("unlink") ? -1 : SystemCalls::unlink(path); }
  int mkdir(const char* path, mode_t mode) override {
    return fails("mkdir") ? -1 : SystemCalls::mkdir(path, mode);
  }
  int flock(int fd, int operation) override {
    return fails("flock") ? -1 : SystemCalls::flock(fd, operation);
  }
  int statvfs(const char* path, struct statvfs* result) override {
    return fails("statvfs") ? -1 : SystemCalls::statvfs(path, result);
  }

 private:
  bool fails(const char* name) {
    names_.emplace_back(name);
    errno = error_;
    return names_.size() == at_ + 1;
  }

  std::size_t at_;
  int error_;
  std::vector<std::string> names_;
};

// Returns whether the call can fail with this error according to POSIX.
inline bool can_fail(const std::string& call, int error) {
  if (error == FaultyCalls::kShortWrite) return call == "write";
  if (error == EINTR) {
    return call == "open" || call == "write" || call == "fsync" || call == "close" ||
           call == "ftruncate";
  }
  if (error == ENOSPC) {
    return call == "open" || call == "write" || call == "fsync" || call == "close" ||
           call == "rename" || call == "mkdir";
  }
  return true;  // EIO
}

struct Fault {
  std::string call;
  int error = 0;
  bool harmless() const { return error == EINTR || error == FaultyCalls::kShortWrite; }
};

// Runs `act` once for every fault that any of its calls can have. Before each run calls `prepare`,
// and after it, without faults, check(fault, threw). Returns the number of faults.
inline std::size_t for_each_fault(const std::function<void()>& prepare,
                                  const std::function<void()>& act,
                                  const std::function<void(const Fault&, bool threw)>& check) {
  prepare();
  FaultyCalls counting;
  {
    const ReplacedSystemCalls replaced(counting);
    act();
  }
  std::size_t faults = 0;
  for (std::size_t at = 0; at < counting.names().size(); ++at) {
    for (const int error : {EIO, ENOSPC, EINTR, FaultyCalls::kShortWrite}) {
      const Fault fault{counting.names()[at], error};
      if (!can_fail(fault.call, error)) continue;
      prepare();
      FaultyCalls faulty(at, error);
      bool threw = false;
      {
        const ReplacedSystemCalls replaced(faulty);
        try {
          act();
        } catch (const std::exception&) {
          threw = true;
        }
      }
      check(fault, threw);
      ++faults;
    }
  }
  return faults;
}

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_FAULTY_CALLS_H_
