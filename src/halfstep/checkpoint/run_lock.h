// One process at a time works on a run.
#ifndef HALFSTEP_CHECKPOINT_RUN_LOCK_H_
#define HALFSTEP_CHECKPOINT_RUN_LOCK_H_

#include <filesystem>

#include "halfstep/io/writable_file.h"

namespace halfstep {

// Holds the file `lock` of a run's folder while it lives. The system lets go of it when the process
// ends, however it ends, so no lock is ever left behind; the file stays, and says whose it was.
class RunLock {
 public:
  // Throws IoError, naming the process and machine that hold it, where another does. A file system
  // without locks is no obstacle.
  explicit RunLock(const std::filesystem::path& run);

 private:
  io::WritableFile file_;
};

}  // namespace halfstep

#endif  // HALFSTEP_CHECKPOINT_RUN_LOCK_H_
