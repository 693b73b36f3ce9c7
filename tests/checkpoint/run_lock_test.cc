#include "halfstep/checkpoint/run_lock.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>

#include "halfstep/io/system_calls.h"
#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep {
namespace {

TEST(RunLock, RejectsASecondProcessAndNamesTheFirst) {
  const io::TemporaryFolder folder;
  std::optional<RunLock> first(folder.path());
  io::expect_error<IoError>([&] { RunLock second(folder.path()); },
                            "locked by process " + std::to_string(::getpid()) + " on ");
  io::expect_error<IoError>([&] { RunLock another(folder.path()); }, "halfstep_base_tests");
  first.reset();
  EXPECT_NO_THROW(RunLock(folder.path()));
}

TEST(RunLock, IsReleasedWhenTheProcessIsKilled) {
  const io::TemporaryFolder folder;
  std::array<int, 2> ready{};
  ASSERT_EQ(::pipe(ready.data()), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunLock lock(folder.path());
    (void)!::write(ready[1], "x", 1);
    for (;;) ::pause();
  }
  char byte = 0;
  ASSERT_EQ(::read(ready[0], &byte, 1), 1);
  io::expect_error<IoError>([&] { RunLock lock(folder.path()); },
                            "locked by process " + std::to_string(child));
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  EXPECT_NO_THROW(RunLock(folder.path()));
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST(RunLock, IsSkippedOnFileSystemsWithoutLocks) {
  class NoLocks final : public io::SystemCalls {
   public:
    int flock(int, int) override {
      errno = ENOLCK;
      return -1;
    }
  } calls;
  const io::TemporaryFolder folder;
  const io::ReplacedSystemCalls replaced(calls);
  EXPECT_NO_THROW(RunLock(folder.path()));
}

TEST(RunLock, MissingFolderIsAnIoError) {
  const io::TemporaryFolder folder;
  io::expect_error<IoError>([&] { RunLock lock(folder / "absent"); }, "absent/lock");
}

}  // namespace
}  // namespace halfstep
