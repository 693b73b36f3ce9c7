#include "cli/help.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <sstream>
#include <string_view>
#include <vector>

namespace halfstep::cli {
namespace {

constexpr size_t kColumn = 28;         // where the descriptions of flags begin
constexpr size_t kCommandColumn = 12;  // and those of commands
constexpr size_t kWidth = 80;

constexpr std::array<std::string_view, 8> kGroups = {
    kModelGroup,    kDataGroup,        kDistillationGroup, kTrainingGroup,
    kSamplingGroup, kMeasurementGroup, kOutputGroup,       kComputeGroup};

constexpr char kNoBreak = '\x01';  // a space at which row() does not wrap

// Returns "  left    text", with the text wrapped and indented to `indent`.
std::string row(const std::string& left, const std::string& text, size_t indent) {
  std::string out = "  " + left;
  size_t column = out.size();
  if (column + 2 > indent) {
    out += "\n";
    column = 0;
  }
  out += std::string(indent - column, ' ');
  column = indent;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > indent && column + 1 + word.size() > kWidth) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    }
    if (column > indent) {
      out += " ";
      ++column;
    }
    out += word;
    column += word.size();
  }
  std::ranges::replace(out, kNoBreak, ' ');
  return out + "\n";
}

// Returns what a flag's value is: "INT", "FILE"; empty for a flag without one.
std::string type_of(const CLI::Option& option) {
  if (option.get_type_size() == 0) return "";
  const std::string type = option.get_type_name();
  const std::string name = type.substr(0, type.find(':'));  // leaves out the names of checks
  return name == "UINT" ? "INT" : name;
}

bool is_positional(const CLI::Option& option) { return option.get_positional(); }

// Returns "--batch INT", "--[no-]anneal", "-h, --help" or, for a positional argument, "RUN".
std::string name_of_option(const CLI::Option& option) {
  std::string text;
  if (is_positional(option)) {
    text = option.get_name(/*positional=*/true);
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
    return text;
  }
  for (const std::string& name : option.get_snames()) text += "-" + name + ", ";
  const bool negatable = !option.get_fnames().empty();
  text += (negatable ? "--[no-]" : "--") + option.get_lnames().front();
  const std::string type = type_of(option);
  return type.empty() ? text : text + " " + type;
}

std::string description_of(const CLI::Option& option) {
  std::string suffix = option.get_default_str();
  if (!suffix.empty()) suffix = "[default: " + suffix + "]";
  if (option.get_required()) suffix = "[required]";
  std::ranges::replace(suffix, ' ', kNoBreak);
  return option.get_description() + " " + suffix;
}

std::string list_of(const std::string& heading, const std::vector<const CLI::Option*>& options) {
  if (options.empty()) return "";
  std::string text = "\n" + heading + ":\n";
  for (const CLI::Option* option : options)
    text += row(name_of_option(*option), description_of(*option), kColumn);
  return text;
}

std::string usage_of(const CLI::App& app, const std::string& name) {
  std::string text = "Usage: " + name;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_required()) text += " " + name_of_option(*option);
  }
  return text + " [OPTIONS]\n";
}

// Returns the headings of a command in the order of kGroups, others last.
std::vector<std::string> groups_of(const CLI::App& command) {
  std::vector<std::string> groups = command.get_groups();
  std::ranges::stable_sort(groups, {}, [](const std::string& group) {
    return std::ranges::find(kGroups, group) - kGroups.begin();
  });
  return groups;
}

std::string help_of_command(const CLI::App& command, const std::string& name) {
  std::string text = command.get_description() + "\n\n" + usage_of(command, name);
  const auto options_where = [&](const auto& wanted) {
    return command.get_options(
        [&](const CLI::Option* option) { return !option->get_group().empty() && wanted(*option); });
  };
  text += list_of("Arguments", options_where(is_positional));
  for (const std::string& group : groups_of(command)) {
    text += list_of(group, options_where([&](const CLI::Option& option) {
                      return !is_positional(option) && option.get_group() == group;
                    }));
  }
  const std::string footer = command.get_footer();
  return footer.empty() ? text : text + "\n" + footer + "\n";
}

std::string help_of_program(const CLI::App& program, const std::string& name) {
  std::string text =
      program.get_description() + "\n\nUsage: " + name + " COMMAND [OPTIONS]\n\nCommands:\n";
  for (const CLI::App* command : program.get_subcommands([](const CLI::App*) { return true; }))
    text += row(command->get_name(), command->get_description(), kCommandColumn);
  return text + list_of("Options", program.get_options()) + "\n" + program.get_footer() + "\n";
}

}  // namespace

const char* group_of_field(const std::string& name) {
  static const std::map<std::string, const char*> kGroupOf = {
      {"random_flip", kDataGroup},
      {"workers", kDataGroup},
      {"method", kDistillationGroup},
      {"start_steps", kDistillationGroup},
      {"end_steps", kDistillationGroup},
      {"updates_per_stage", kDistillationGroup},
      {"last_updates", kDistillationGroup},
      {"student_output", kDistillationGroup},
      {"convert_updates", kDistillationGroup},
      {"on_divergence", kDistillationGroup},
      {"checkpoint_every", kOutputGroup},
      {"log_every", kOutputGroup},
      {"microbatch", kComputeGroup},
      {"activation_checkpointing", kComputeGroup},
      {"precision", kComputeGroup}};
  const auto found = kGroupOf.find(name);
  return found == kGroupOf.end() ? kTrainingGroup : found->second;
}

std::string HelpFormatter::make_help(const CLI::App* app, std::string name,
                                     CLI::AppFormatMode) const {
  const bool is_program = app->get_parent() == nullptr;
  return is_program ? help_of_program(*app, name) : help_of_command(*app, name);
}

}  // namespace halfstep::cli
