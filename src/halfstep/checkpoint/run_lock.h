// Ensures that only one process at a time works on a run.
#ifndef HALFSTEP_CHECKPOINT_RUN_LOCK_H_
#define HALFSTEP_CHECKPOINT_RUN_LOCK_H_

#include <filesystem>

#include "halfstep/io/writable_file.h"

namespace halfstep {

// Holds an exclusive lock on the file `lock` in a run's folder for as long as the object lives. The
// operating system releases the lock when the process ends, even if it is killed, so a stale lock
// cannot remain. The file itself stays and names the last process that held the lock, its machine
// and its command line.
class RunLock {
 public:
  // Throws IoError if another process holds the lock, naming that process. On a
  // file system without locks, nothing is locked and nothing is thrown.
  explicit RunLock(const std::filesystem::path& run);

 private:
  io::WritableFile file_;
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_RUN_LOCK_H_
