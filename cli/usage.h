// What main.cc prints about wrong usage.
#ifndef HALFSTEP_CLI_USAGE_H_
#define HALFSTEP_CLI_USAGE_H_

#include <CLI/CLI.hpp>
#include <string>

#include "halfstep/core/error.h"

namespace halfstep::cli {

// Returns the message about an unknown command, flag or argument, with the name that was probably
// meant; "" if all are known.
std::string unknown_argument(const CLI::App& program);

// Returns what CLI11 found wrong, as "[where] text; see 'halfstep COMMAND --help'".
std::string usage_message(const CLI::App& program, const CLI::Error& error);

// Returns the message of an error about an option with its flag as the place. The library names the
// field: "[options] ema_decay: expected ..." becomes "[--ema-decay] expected ...".
std::string message_about_flag(const CLI::App& program, const ConfigError& error);

// Returns the message where no command was given.
std::string missing_command(const CLI::App& program);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_USAGE_H_
