#include "tests/cli/program.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>

namespace halfstep::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr double kLongest = 300.0;  // seconds, before a program counts as hanging
constexpr const char* kErrorPrefix = "halfstep: error: ";

double seconds_since(Clock::time_point begin) {
  return std::chrono::duration<double>(Clock::now() - begin).count();
}

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw std::runtime_error("no pipe");
  return {ends[0], ends[1]};
}

void limit(int resource, const std::optional<uint64_t>& most) {
  if (!most) return;
  const rlimit limits{.rlim_cur = *most, .rlim_max = *most};
  if (::setrlimit(static_cast<__rlimit_resource>(resource), &limits) != 0) ::_exit(126);
}

// Runs in the child and never returns.
[[noreturn]] void become(const Arguments& arguments, const Conditions& conditions, int out,
                         int err) {
  const int null = ::open("/dev/null", O_RDONLY);
  const int results = conditions.stdout_path.empty()
                          ? out
                          : ::open(conditions.stdout_path.c_str(), O_WRONLY | O_CREAT, 0666);
  if (::dup2(null, 0) < 0 || ::dup2(results, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(126);
  for (const auto& [name, value] : conditions.environment) ::setenv(name.c_str(), value.c_str(), 1);
  limit(RLIMIT_FSIZE, conditions.largest_file);
  if (!kAddressSanitizer) limit(RLIMIT_AS, conditions.largest_memory);
  limit(RLIMIT_CORE, 0);
  if (conditions.obey_permissions && ::geteuid() == 0) {
    ::prctl(PR_CAPBSET_DROP, CAP_DAC_OVERRIDE);
    ::prctl(PR_CAPBSET_DROP, CAP_DAC_READ_SEARCH);
  }
  std::vector<char*> words = {const_cast<char*>("halfstep")};
  for (const std::string& argument : arguments)
    words.push_back(const_cast<char*>(argument.c_str()));
  words.push_back(nullptr);
  ::execv(HALFSTEP_PROGRAM, words.data());
  ::_exit(127);
}

// Appends what can be read to `text`. Returns false at the end of the file.
bool take(int fd, std::string& text) {
  std::array<char, 4096> piece{};
  const ssize_t got = ::read(fd, piece.data(), piece.size());
  if (got > 0) text.append(piece.data(), static_cast<size_t>(got));
  return got > 0 || (got < 0 && errno == EINTR);
}

// Sends the signal of the conditions when it is due.
class Alarm {
 public:
  explicit Alarm(const Conditions& conditions) : conditions_(conditions) {}

  // Sends the signal if it is due. Returns how many milliseconds to wait before the next call.
  int look(pid_t process, const std::string& err) {
    if (!conditions_.signal || sent_) return 1000;
    if (!seen_ && err.find(conditions_.after_text) == std::string::npos) return 1000;
    if (!seen_ && conditions_.after && !conditions_.after()) return 10;
    if (!seen_) seen_ = Clock::now();
    const double left = conditions_.after_seconds - seconds_since(*seen_);
    if (left > 0.0) return static_cast<int>(left * 1000.0) + 1;
    ::kill(process, *conditions_.signal);
    sent_ = true;
    return 1000;
  }

 private:
  const Conditions& conditions_;
  std::optional<Clock::time_point> seen_;
  bool sent_ = false;
};

std::string shown(const Finished& finished) {
  return "it ended with " + std::to_string(finished.code) + "\nstdout: " + finished.out +
         "\nstderr: " + finished.err;
}

}  // namespace

Finished run(const Arguments& arguments, const Conditions& conditions) {
  const Pipe out = make_pipe();
  const Pipe err = make_pipe();
  const auto begin = Clock::now();
  const pid_t process = ::fork();
  if (process < 0) throw std::runtime_error("no process");
  if (process == 0) become(arguments, conditions, out.write, err.write);
  ::close(out.write);
  ::close(err.write);

  Finished finished;
  Alarm alarm(conditions);
  std::array<pollfd, 2> open = {
      {{.fd = out.read, .events = POLLIN}, {.fd = err.read, .events = POLLIN}}};
  while (open[0].fd >= 0 || open[1].fd >= 0) {
    if (seconds_since(begin) > kLongest) ::kill(process, SIGKILL);
    if (::poll(open.data(), open.size(), alarm.look(process, finished.err)) <= 0) continue;
    for (pollfd& end : open) {
      std::string& text = end.fd == out.read ? finished.out : finished.err;
      if (end.revents != 0 && !take(end.fd, text)) end.fd = -1;
    }
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  ::close(out.read);
  ::close(err.read);
  finished.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  finished.seconds = seconds_since(begin);
  return finished;
}

testing::AssertionResult succeeds(const Finished& finished) {
  if (finished.code == 0) return testing::AssertionSuccess();
  return testing::AssertionFailure() << shown(finished);
}

testing::AssertionResult refuses(const Finished& finished, int code,
                                 const std::vector<std::string>& words) {
  if (finished.err.rfind(kErrorPrefix, 0) == 0) return fails(finished, code, words);
  return testing::AssertionFailure() << "expected nothing but one error; " << shown(finished);
}

testing::AssertionResult fails(const Finished& finished, int code,
                               const std::vector<std::string>& words) {
  const auto failure = [&](const std::string& expected) {
    return testing::AssertionFailure() << "expected " << expected << "; " << shown(finished);
  };
  if (finished.code != code) return failure("exit code " + std::to_string(code));
  if (!finished.out.empty()) return failure("nothing on stdout");
  const size_t begin = finished.err.find(kErrorPrefix);
  if (begin == std::string::npos || (begin > 0 && finished.err[begin - 1] != '\n'))
    return failure("a line of an error");
  if (finished.err.find('\n', begin) != finished.err.size() - 1)
    return failure("one line of an error, the last");
  for (const std::string& word : words) {
    if (finished.err.find(word, begin) == std::string::npos) return failure("\"" + word + "\"");
  }
  return testing::AssertionSuccess();
}

}  // namespace halfstep::cli
