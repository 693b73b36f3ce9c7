#include "cli/description.h"

#include <nlohmann/json.hpp>

namespace halfstep::cli {

NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(FlagDescription, name, short_name, type, words, default_value,
                                   help, group, negatable, required, several)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(CommandDescription, name, purpose, notes, flags)
NLOHMANN_DEFINE_TYPE_NON_INTRUSIVE(Description, version, purpose, notes, flags, commands)

const CommandDescription* Description::find(std::string_view command) const {
  for (const CommandDescription& known : commands) {
    if (known.name == command) return &known;
  }
  return nullptr;
}

std::vector<std::string> Description::names_of_commands() const {
  std::vector<std::string> names;
  for (const CommandDescription& command : commands) names.push_back(command.name);
  return names;
}

std::string to_text(const Description& description) { return nlohmann::json(description).dump(1); }

Description description_of_text(std::string_view text) {
  return nlohmann::json::parse(text).get<Description>();
}

}  // namespace halfstep::cli
