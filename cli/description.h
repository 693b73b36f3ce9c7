// A description of the command line: the source of the help, the completions and the manual page.
// Free of LibTorch and CLI11, so that the launcher answers without loading them.
#ifndef HALFSTEP_CLI_DESCRIPTION_H_
#define HALFSTEP_CLI_DESCRIPTION_H_

#include <string>
#include <string_view>
#include <vector>

namespace halfstep::cli {

struct FlagDescription {
  std::string name;                // "--batch", "--help"; "RUN" for an argument
  std::string short_name;          // "-h", or ""
  std::string type;                // "INT", "FILE", "NAME"; "" for a flag without a value
  std::vector<std::string> words;  // the values that it takes; empty for other values
  std::string default_value;       // "" if there is none
  std::string help;
  std::string group;       // the heading of --help
  bool negatable = false;  // --no-NAME exists
  bool required = false;
  bool several = false;  // takes more than one value

  bool is_argument() const { return !name.starts_with("-"); }
};

struct CommandDescription {
  std::string name;
  std::string purpose;
  std::string notes;  // the examples and what follows them
  std::vector<FlagDescription> flags;
};

struct Description {
  std::string version;
  std::string purpose;
  std::string notes;
  std::vector<FlagDescription> flags;  // those without a command
  std::vector<CommandDescription> commands;

  // Returns nullptr if there is no such command.
  const CommandDescription* find(std::string_view command) const;
  std::vector<std::string> names_of_commands() const;
};

// Writes the description as JSON, and reads it.
std::string to_text(const Description& description);
Description description_of_text(std::string_view text);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_DESCRIPTION_H_
