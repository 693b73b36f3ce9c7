// The program proper, which the launcher starts: parses the command line, runs the command, and
// turns exceptions into one line on stderr and an exit code.
#include <c10/util/Exception.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "cli/answer.h"
#include "cli/command.h"
#include "cli/describe.h"
#include "cli/description.h"
#include "cli/help.h"
#include "cli/process.h"
#include "cli/usage.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"
#include "halfstep/io/system_error.h"

namespace {

using namespace halfstep::cli;  // NOLINT(google-build-using-namespace): the program's own

// Keeps freed memory in the process. Every operator allocates and frees tensors of megabytes; if
// they went back to the system, each new one would be zeroed page by page, a tenth of an update's
// time. 32 MiB is the largest threshold that glibc accepts. Other allocators ignore both.
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

// Fails if the results could not be written: stdout may be a file on a full disk.
int flush_results() {
  std::cout.flush();
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0 && std::cout.good()) return kDone;
  return fail(kFailed,
              "[stdout] expected to write the results, received an error; check the disk space");
}

int run(const CLI::App& program, const Action& action) {
  try {
    const int code = action();
    return code == kDone ? flush_results() : code;
  } catch (const halfstep::ConfigError& error) {
    return fail(kWrongUsage, message_about_flag(program, error));
  } catch (const CLI::Error& error) {  // commands read the values of some flags themselves
    return fail(kWrongUsage, usage_message(program, error));
  } catch (const halfstep::Error& error) {
    return fail(kFailed, error.what());
  } catch (const c10::Error& error) {
    return fail(kFailed, "[libtorch] " + first_line(error.what_without_backtrace()));
  } catch (const std::filesystem::filesystem_error& error) {
    return fail(kFailed, halfstep::io::io_error(error).what());
  } catch (const std::bad_alloc&) {
    return fail(kFailed, "[memory] expected more memory, received none; use smaller inputs");
  } catch (const std::exception& error) {
    return fail(kFailed, halfstep::one_line(error.what()));
  }
}

void add_commands(CLI::App& program, Action& action) {
  add_train(program, action);
  add_distill(program, action);
  add_resume(program, action);
  add_sample(program, action);
  add_evaluate(program, action);
  add_serve(program, action);
  add_report(program, action);
  add_info(program, action);
  add_convert(program, action);
  add_data(program, action);
  add_bench(program, action);
  add_config(program, action);
  add_completion(program, action);
  add_help(program, action);
}

// Ends the process without the destructors of static objects: LibTorch's remove every operator
// again, which takes a fifth of the time of a short command.
[[noreturn]] void end(int code) {
  std::cout.flush();
  std::fflush(nullptr);
  std::_Exit(code);
}

// Prints what the launcher includes: a raw string of C++.
int print_description(const CLI::App& program) {
  std::printf("R\"json(%s)json\"\n", to_text(describe(program)).c_str());
  return flush_results();
}

int run_command_line(int argc, char** argv) {
  CLI::App program("halfstep " + std::string(halfstep::version()) +
                       ": distils diffusion models to a few sampling steps",
                   "halfstep");
  program.set_help_flag("");         // answer() prints the help
  program.require_subcommand(0, 1);  // with (1, 1), CLI11 would not name an unknown command
  Action action;
  add_commands(program, action);
  const std::vector<std::string> arguments(argv + std::min(argc, 1), argv + argc);
  if (arguments == std::vector<std::string>{"--describe"}) return print_description(program);
  if (const std::optional<Answer> found = answer(arguments, describe(program), columns_of_stdout()))
    return give(*found);
  try {
    program.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const std::string unknown = unknown_argument(program);  // it may be what another one lacks
    return fail(kWrongUsage, unknown.empty() ? usage_message(program, error) : unknown);
  } catch (const halfstep::ConfigError& error) {
    return fail(kWrongUsage, error.what());
  }
  if (!action) return fail(kWrongUsage, missing_command(program));
  return run(program, action);
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  prepare_process();
  const int code = run_command_line(argc, argv);
#if defined(__SANITIZE_ADDRESS__)
  return code;  // leaks are reported after main
#else
  end(code);
#endif
}
