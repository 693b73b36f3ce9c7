// The program: parses the command line, runs the command, and turns exceptions into one line on
// stderr and an exit code.
#include <c10/util/Exception.h>
#ifdef __GLIBC__
#include <malloc.h>
#endif

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <exception>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cli/command.h"
#include "cli/help.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"

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

// Returns what CLI11 found wrong, as "[where] text".
std::string place_and_text(const CLI::App& program, const CLI::Error& error,
                           const std::string& command) {
  const std::string text = error.what();
  const std::string unreadable = "Could not convert: ";  // "--batch = abc" follows
  const size_t equals = text.find(" = ");
  if (text.starts_with(unreadable) && equals != std::string::npos) {
    return "[" + text.substr(unreadable.size(), equals - unreadable.size()) +
           "] expected a number, received \"" + text.substr(equals + 3) + "\"";
  }
  if (dynamic_cast<const CLI::ExtrasError*>(&error) != nullptr) {
    std::string unknown;
    for (const std::string& argument : program.remaining(/*recurse=*/true))
      unknown += " " + argument;
    return "[" + command + "] unknown argument:" + unknown;
  }
  const size_t colon = text.find(": ");  // "--grid-images: Value 5000 not in range 0 to 4096"
  if (!text.starts_with("--") || colon == std::string::npos) return "[" + command + "] " + text;
  const std::string place = "[" + text.substr(0, colon) + "] ";
  const std::string required = " required ";  // "--model: 1 required MODEL missing"
  const size_t type = text.find(required, colon);
  if (type == std::string::npos) return place + text.substr(colon + 2);
  const size_t begin = type + required.size();
  return place + "expected " + text.substr(begin, text.find(' ', begin) - begin) +
         ", received none";
}

std::string usage_message(const CLI::App& program, const CLI::Error& error) {
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  const std::string command = chosen.empty() ? "" : chosen.front()->get_name();
  return place_and_text(program, error, command.empty() ? "halfstep" : command) +
         "; see 'halfstep " + (command.empty() ? "" : command + " ") + "--help'";
}

// Returns the message of an error about an option with its flag as the place. The library names the
// field: "[options] ema_decay: expected ..." becomes "[--ema-decay] expected ...".
std::string message_about_flag(const CLI::App& program, const halfstep::ConfigError& error) {
  const std::string text(error.text());
  const size_t colon = text.find(": ");
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  const bool names_module =
      error.where().find_first_not_of("abcdefghijklmnopqrstuvwxyz_") == std::string_view::npos;
  if (chosen.empty() || colon == std::string::npos || !names_module) return error.what();
  std::string flag = "--" + text.substr(0, colon);
  std::ranges::replace(flag, '_', '-');
  if (chosen.front()->get_option_no_throw(flag) == nullptr) return error.what();
  return "[" + flag + "] " + text.substr(colon + 2);
}

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
  } catch (const std::exception& error) {
    return fail(kFailed, error.what());
  }
}

void add_commands(CLI::App& program, Action& action) {
  add_train(program, action);
  add_distill(program, action);
  add_resume(program, action);
  add_sample(program, action);
  add_evaluate(program, action);
  add_report(program, action);
  add_info(program, action);
  add_convert(program, action);
  add_data(program, action);
  add_bench(program, action);
  for (CLI::App* command : program.get_subcommands([](CLI::App*) { return true; }))
    command->get_help_ptr()->group("");  // --help itself is not listed
}

std::string names_of_commands(const CLI::App& program) {
  std::string names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; }))
    names += (names.empty() ? "" : ", ") + command->get_name();
  return names;
}

}  // namespace

int main(int argc, char** argv) {
  keep_freed_memory();
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the size limit is an error to report
  CLI::App program("halfstep " + std::string(halfstep::version()) +
                       ": distils diffusion models to a few sampling steps",
                   "halfstep");
  program.formatter(std::make_shared<HelpFormatter>());
  program.set_help_flag("-h,--help", "Print this help and exit");
  program.set_version_flag("--version", std::string(halfstep::version()),
                           "Print the version and exit");
  program.require_subcommand(0, 1);  // with (1, 1), CLI11 would not name an unknown command
  Action action;
  add_commands(program, action);
  program.footer(
      "Run 'halfstep COMMAND --help' for the flags of a command.");  // after add_commands: not
                                                                     // inherited
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    program.exit(success);
    return flush_results();
  } catch (const CLI::ParseError& error) {
    return fail(kWrongUsage, usage_message(program, error));
  }
  if (!action) {
    return fail(kWrongUsage, "[halfstep] expected a command (" + names_of_commands(program) +
                                 "), received none; see 'halfstep --help'");
  }
  return run(program, action);
}
