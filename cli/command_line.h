#ifndef HALFSTEP_CLI_COMMAND_LINE_H_
#define HALFSTEP_CLI_COMMAND_LINE_H_

#include <string>
#include <string_view>
#include <vector>

namespace halfstep::cli {

// Returns an argument as a POSIX shell reads it: as it is if all characters are safe, else in
// single quotes. Control characters become spaces.
std::string shell_quoted(std::string_view argument);

// Returns the command line of this process, as it may be typed again.
std::string command_line();

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_COMMAND_LINE_H_
