#ifndef HALFSTEP_CLI_DESCRIBE_H_
#define HALFSTEP_CLI_DESCRIBE_H_

#include <CLI/CLI.hpp>

#include "cli/description.h"

namespace halfstep::cli {

// Describes the program and its commands, flags in the order of their headings.
Description describe(const CLI::App& program);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_DESCRIBE_H_
