#include "halfstep/checkpoint/run_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <string>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/system_calls.h"

namespace halfstep {
namespace {

constexpr size_t kLongestHolder = 1000;

std::string this_process() {
  std::array<char, 256> host{};
  ::gethostname(host.data(), host.size() - 1);
  std::string command;
  try {
    command = io::read_file("/proc/self/cmdline", kLongestHolder / 2);
  } catch (const IoError&) {  // not Linux
  }
  while (!command.empty() && command.back() == '\0') command.pop_back();
  std::ranges::replace(command, '\0', ' ');
  return "process " + std::to_string(::getpid()) + " on " + host.data() +
         (command.empty() ? "" : " (" + one_line(command) + ")");
}

}  // namespace

RunLock::RunLock(const std::filesystem::path& run) {
  const std::filesystem::path path = run / "lock";
  io::WritableFile file(path, path, O_WRONLY | O_CREAT);
  if (io::system_calls().flock(file.fd(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw IoError("run",
                  run.string() +
                      ": expected a run that no other process works on, received one locked by " +
                      one_line(io::read_file(path, kLongestHolder)) +
                      "; wait until that process ends, or stop it");
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
