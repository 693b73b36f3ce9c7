// Completion scripts for shells: commands, flags and their values.
#ifndef HALFSTEP_CLI_COMPLETION_H_
#define HALFSTEP_CLI_COMPLETION_H_

#include <string>

#include "cli/description.h"

namespace halfstep::cli {

// What completes a value: the words of the flag, and names of files or folders besides or instead.
enum class ValueKind { none, files, folders };

// Returns the kind of a flag's value, by the name of its type, or of an argument.
ValueKind value_kind(const FlagDescription& flag);

// Returns whether a value is a list with commas: "NAME,...".
bool takes_list(const FlagDescription& flag);

std::string bash_completion(const Description& program);
std::string zsh_completion(const Description& program);
std::string fish_completion(const Description& program);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_COMPLETION_H_
