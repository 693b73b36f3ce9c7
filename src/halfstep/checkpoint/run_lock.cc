#include "halfstep/checkpoint/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/system_calls.h"

namespace halfstep {
namespace {

constexpr size_t kLongestHolder = 400;

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  return "process " + std::to_string(::getpid()) + " on " + host.data();
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run) {
  const std::filesystem::path path = run / "lock";
  io::WritableFile file(path, path, O_WRONLY | O_CREAT);
  if (io::system_calls().flock(file.fd(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw IoError(
        "run",
        run.string() + ": expected a run that no other process works on, received one locked by " +
            io::read_file(path, kLongestHolder) + "; wait until that process ends, or stop it");
  }
  const std::string holder = this_process();
  try {
    file.truncate(0);
    file.write(holder.data(), holder.size());
  } catch (const IoError&) {
    // The lock is held even if the disk is full. The run reports a full disk with the space it
    // needs.
  }
  file_ = std::move(file);
}

}  // namespace halfstep
