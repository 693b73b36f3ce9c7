// The program: finds the command, runs it, and turns what it throws into one line and an exit code.
#include <c10/util/Exception.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <string>

#include "cli/command.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"

namespace {

using namespace halfstep::cli;  // NOLINT(google-build-using-namespace): the program's own

// Memory that is freed stays with the program. Every operator makes and drops tensors of megabytes;
// given back to the system, each would come again as pages of zeros, a tenth of an update's time.
// The first is the most that glibc takes; other allocators ignore both.
void keep_freed_memory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
#endif
}

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "halfstep: error: %s\n", halfstep::one_line(message).c_str());
  return code;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// What the parser of flags says, with what it leaves out.
std::string usage_message(const CLI::Error& error) {
  const bool conversion = dynamic_cast<const CLI::ConversionError*>(&error) != nullptr;
  return error.what() + std::string(conversion ? "; expected a number of the flag's kind" : "") +
         " (halfstep --help lists commands and flags)";
}

// Results that did not arrive are not done: stdout may be a file on a full disk.
int flush_results() {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) return kDone;
  return fail(kFailed,
              "[stdout] expected to write the results, received an error; is the disk full?");
}

int run(const Action& action) {
  try {
    const int code = action();
    return code == kDone ? flush_results() : code;
  } catch (const halfstep::ConfigError& error) {
    return fail(kWrongUsage, error.what());
  } catch (const CLI::Error& error) {  // a flag's value, read when the command runs
    return fail(kWrongUsage, usage_message(error));
  } catch (const halfstep::Error& error) {
    return fail(kFailed, error.what());
  } catch (const c10::Error& error) {
    return fail(kFailed, "[libtorch] " + first_line(error.what_without_backtrace()));
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit is an error to report, not an end
  CLI::App program("halfstep " + std::string(halfstep::version()) +
                       ": diffusion models distilled to a few steps (progressive distillation)",
                   "halfstep");
  program.set_version_flag("--version", std::string(halfstep::version()));
  program.require_subcommand(0, 1);  // so that a word that is no command is named
  program.set_help_flag();
  program.set_help_all_flag("-h,--help", "print this help, of all commands or of one, and exit");
  program.get_formatter()->column_width(34);
  Action action;
  add_train(program, action);
  add_distill(program, action);
  add_resume(program, action);
  add_sample(program, action);
  add_evaluate(program, action);
  add_convert(program, action);
  add_data(program, action);
  add_info(program, action);
  add_bench(program, action);
  add_report(program, action);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    program.exit(success);
    return flush_results();
  } catch (const CLI::ParseError& error) {
    return fail(kWrongUsage, usage_message(error));
  }
  if (!action) {
    return fail(kWrongUsage,
                "expected a command: train, distill, resume, sample, evaluate, convert, data, "
                "info, bench or "
                "report; received none (halfstep --help lists commands and flags)");
  }
  return run(action);
}
