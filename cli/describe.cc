#include "cli/describe.h"

#include <algorithm>
#include <sstream>

#include "cli/help.h"
#include "cli/values.h"
#include "halfstep/core/version.h"

namespace halfstep::cli {
namespace {

// Returns the words of a type that offer() extended: "NAME:{a,b}".
std::vector<std::string> words_in(const std::string& type) {
  const size_t begin = type.find(":{");
  std::vector<std::string> words;
  if (begin == std::string::npos) return words;
  std::istringstream list(type.substr(begin + 2, type.find('}') - begin - 2));
  for (std::string word; std::getline(list, word, ',');) words.push_back(word);
  return words;
}

FlagDescription describe(const CLI::Option& option) {
  const bool argument = option.get_positional();
  const std::string type = option.get_type_size() == 0 ? "" : option.get_type_name();
  return {.name = argument ? place_of(option.get_name(/*positional=*/true))
                           : "--" + option.get_lnames().front(),
          .type = argument ? "" : type.substr(0, type.find(':')),
          .words = words_in(type),
          .default_value = option.get_default_str(),
          .help = option.get_description(),
          .group = argument ? kArgumentsGroup : option.get_group(),
          .negatable = !option.get_fnames().empty(),
          .required = option.get_required(),
          .several = option.get_expected_max() > 1};
}

// Describes the flag of an argument that can also be given as one.
FlagDescription flag_of_argument(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  return {.name = "--" + option.get_lnames().front(),
          .type = type.substr(0, type.find(':')),
          .help = "The same as " + place_of(option.get_name(/*positional=*/true)),
          .group = option.get_group()};
}

CommandDescription describe_command(const CLI::App& command) {
  CommandDescription description{.name = command.get_name(),
                                 .purpose = command.get_description(),
                                 .notes = command.get_footer()};
  for (const CLI::Option* option : command.get_options()) {
    description.flags.push_back(describe(*option));
    if (option->get_positional() && !option->get_lnames().empty())
      description.flags.push_back(flag_of_argument(*option));
  }
  std::ranges::stable_sort(description.flags, {},
                           [](const FlagDescription& flag) { return rank_of_group(flag.group); });
  return description;
}

}  // namespace

Description describe(const CLI::App& program) {
  Description description{
      .version = std::string(version()),
      .purpose = program.get_description(),
      .notes = "Run 'halfstep help COMMAND' for the flags of a command.",
      .flags = {{.name = "--help", .short_name = "-h", .help = "Print this help and exit"},
                {.name = "--version", .help = "Print the version and exit"}}};
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; }))
    description.commands.push_back(describe_command(*command));
  return description;
}

}  // namespace halfstep::cli
