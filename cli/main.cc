// The program: finds the command, runs it, and turns what it throws into one line and an exit code.
#include <c10/util/Exception.h>

#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>
#include <string>

#include "cli/command.h"
#include "halfstep/core/error.h"
#include "halfstep/core/version.h"

namespace {

using namespace halfstep::cli;  // NOLINT(google-build-using-namespace): the program's own

int fail(int code, const std::string& message) {
  std::fprintf(stderr, "halfstep: error: %s\n", message.c_str());
  return code;
}

std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

int run(const Action& action) {
  try {
    return action();
  } catch (const halfstep::ConfigError& error) {
    return fail(kWrongUsage, error.what());
  } catch (const CLI::Error& error) {  // a flag's value, read when the command runs
    return fail(kWrongUsage, error.what());
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
  CLI::App program("halfstep " + std::string(halfstep::version()) +
                       ": diffusion models distilled to a few steps (progressive distillation)",
                   "halfstep");
  program.set_version_flag("--version", std::string(halfstep::version()));
  program.require_subcommand(1);
  program.get_formatter()->column_width(34);
  Action action;
  add_train(program, action);
  add_distill(program, action);
  add_resume(program, action);
  add_sample(program, action);
  add_info(program, action);
  try {
    program.parse(argc, argv);
  } catch (const CLI::Success& success) {  // --help, --version
    return program.exit(success);
  } catch (const CLI::ParseError& error) {
    return fail(kWrongUsage,
                std::string(error.what()) + " (halfstep --help lists commands and flags)");
  }
  return run(action);
}
