#include "cli/usage.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <vector>

#include "cli/values.h"
#include "halfstep/core/spelling.h"

namespace halfstep::cli {
namespace {

const CLI::App* chosen_command(const CLI::App& program) {
  const std::vector<CLI::App*> chosen = program.get_subcommands();
  return chosen.empty() ? nullptr : chosen.front();
}

std::vector<std::string> names_of_commands(const CLI::App& program) {
  std::vector<std::string> names;
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(command->get_name());
  return names;
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags = {"--help"};
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// Returns "; see 'halfstep COMMAND --help'".
std::string see_help(const CLI::App* command) {
  return "; see 'halfstep " + (command == nullptr ? "" : command->get_name() + " ") + "--help'";
}

// Returns "[--batch] text", or "[sample] text" if the text is about no flag.
std::string place_and_text(const CLI::App* command, const std::string& text) {
  const std::string own = "[" + (command == nullptr ? "halfstep" : command->get_name()) + "] ";
  const std::string unreadable = "Could not convert: ";  // "--anneal = abc" follows
  const size_t equals = text.find(" = ");
  if (text.starts_with(unreadable) && equals != std::string::npos) {
    return "[" + text.substr(unreadable.size(), equals - unreadable.size()) +
           "] expected true or false, received \"" + text.substr(equals + 3) + "\"";
  }
  const size_t missing = text.find(" is required");  // "--model is required"
  if (missing != std::string::npos) return own + place_of(text.substr(0, missing)) + " is required";
  const size_t colon = text.find(": ");
  if (!text.starts_with("--") || colon == std::string::npos) return own + text;
  const std::string place = "[" + text.substr(0, colon) + "] ";
  const std::string several = "At Most 1 required but received ";  // "2" follows
  if (text.compare(colon + 2, several.size(), several) == 0)
    return place + "expected one value, received " + text.substr(colon + 2 + several.size());
  const std::string required = " required ";  // "--model: 1 required MODEL missing"
  const size_t type = text.find(required, colon);
  if (type == std::string::npos) return place + text.substr(colon + 2);
  const size_t begin = type + required.size();
  std::string name = text.substr(begin, text.find(' ', begin) - begin);
  name = name.substr(0, name.find(':'));  // leaves out the words that the flag takes
  return place + "expected " + name + ", received none";
}

bool is_identifier(std::string_view text) {
  return std::ranges::all_of(text,
                             [](unsigned char c) { return std::isalpha(c) != 0 || c == '_'; });
}

// Returns the flag of a field: "--ema-decay" for "ema_decay".
std::string flag_of(std::string_view field) {
  std::string flag = "--" + std::string(field == "num_steps" ? "steps" : field);
  std::ranges::replace(flag, '_', '-');
  std::ranges::replace(flag, ' ', '-');
  return flag;
}

// Returns "; did you mean --data WORD?" with the flag that a bare word most likely belongs to;
// empty if the command has none of these.
std::string meant_as_value(const CLI::App& command, const std::string& word) {
  for (const char* flag : {"--samples", "--teacher", "--model", "--from", "--data"}) {
    const CLI::Option* option = command.get_option_no_throw(flag);
    if (option != nullptr && option->count() == 0)
      return "; did you mean " + std::string(flag) + " " + word + "?";
  }
  return "";
}

}  // namespace

std::string unknown_argument(const CLI::App& program) {
  const std::vector<std::string> unknown = program.remaining(/*recurse=*/true);
  if (unknown.empty()) return "";
  const CLI::App* command = chosen_command(program);
  const std::string word = unknown.front().substr(0, unknown.front().find('='));
  const bool flag = word.starts_with("-");
  const std::string place = command == nullptr ? "halfstep" : command->get_name();
  const std::string kind = flag ? "flag " : command == nullptr ? "command " : "argument ";
  std::vector<std::string> known;
  if (flag) known = flags_of(command == nullptr ? program : *command);
  if (!flag && command == nullptr) known = names_of_commands(program);
  std::string meant = did_you_mean(word, known);
  if (!flag && command != nullptr) meant = meant_as_value(*command, word);
  return "[" + place + "] unknown " + kind + word + meant +
         (meant.empty() ? see_help(command) : "");
}

std::string usage_message(const CLI::App& program, const CLI::Error& error) {
  const CLI::App* command = chosen_command(program);
  return place_and_text(command, error.what()) + see_help(command);
}

std::string message_about_flag(const CLI::App& program, const ConfigError& error) {
  const CLI::App* command = chosen_command(program);
  if (command == nullptr || !is_identifier(error.where())) return error.what();
  const std::string text(error.text());
  const size_t colon = text.find(": ");
  if (colon != std::string::npos) {
    const std::string flag = flag_of(text.substr(0, colon));
    if (command->get_option_no_throw(flag) != nullptr)
      return "[" + flag + "] " + text.substr(colon + 2);
  }
  const std::string flag = flag_of(error.where());
  return command->get_option_no_throw(flag) == nullptr ? error.what() : "[" + flag + "] " + text;
}

std::string missing_command(const CLI::App& program) {
  std::string names;
  for (const std::string& name : names_of_commands(program))
    names += (names.empty() ? "" : ", ") + name;
  return "[halfstep] expected a command (" + names + "), received none" + see_help(nullptr);
}

}  // namespace halfstep::cli
