// The questions that the program answers without running a command: --version, --help, help and
// completion.
#ifndef HALFSTEP_CLI_ANSWER_H_
#define HALFSTEP_CLI_ANSWER_H_

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "cli/description.h"

namespace halfstep::cli {

struct Answer {
  int code = 0;
  std::string out;    // for stdout
  std::string error;  // a message, if the code is not 0
};

// Returns whether answer() could answer `arguments`, without knowing the commands.
bool may_be_question(const std::vector<std::string>& arguments);

// Answers `arguments` (without the name of the program); nullopt if they ask for a command to run.
std::optional<Answer> answer(const std::vector<std::string>& arguments,
                             const Description& description, size_t width);

// Prints an answer and returns the exit code.
int give(const Answer& answer);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_ANSWER_H_
