// Simulates a disk without free space.
#ifndef HALFSTEP_TESTS_IO_FULL_DISK_H_
#define HALFSTEP_TESTS_IO_FULL_DISK_H_

#include "halfstep/io/system_calls.h"

namespace halfstep::io {

class FullDisk final : public SystemCalls {
 public:
  int statvfs(const char*, struct statvfs* result) override {
    *result = {};
    result->f_blocks = 1;
    return 0;
  }
};

}  // namespace halfstep::io

#endif  // HALFSTEP_TESTS_IO_FULL_DISK_H_
