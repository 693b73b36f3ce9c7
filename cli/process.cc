#include "cli/process.h"

#include <fcntl.h>
#include <torch/csrc/jit/runtime/print_handler.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>
#include <string>

namespace halfstep::cli {
namespace {

std::atomic<bool> interrupted = false;
static_assert(std::atomic<bool>::is_always_lock_free);

void on_signal(int signal) {
  interrupted = true;
  // Both the kernel and the shell send SIGHUP when a terminal is closed: the second changes
  // nothing.
  if (signal != SIGHUP) std::signal(signal, SIG_DFL);
}

// A descriptor that was closed stays unusable: reading stdin and writing to stdout and stderr fail.
void open_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(fd, F_GETFD) != -1) continue;
    (void)::open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY);  // gets the lowest number
  }
}

}  // namespace

void prepare_process() {
  open_standard_descriptors();
  std::signal(SIGXFSZ, SIG_IGN);
  torch::jit::setPrintHandler(
      [](const std::string& text) { (void)std::fputs(text.c_str(), stderr); });
}

const std::atomic<bool>& stop_on_interrupt() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
  if (std::signal(SIGHUP, on_signal) == SIG_IGN) std::signal(SIGHUP, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
  return interrupted;
}

void request_stop() { interrupted = true; }

}  // namespace halfstep::cli
