#include "cli/help.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <map>
#include <sstream>

namespace halfstep::cli {
namespace {

constexpr size_t kColumn = 28;         // where the descriptions of flags begin
constexpr size_t kCommandColumn = 14;  // and those of commands

constexpr std::array<std::string_view, 10> kGroups = {
    kArgumentsGroup, kModelGroup,  kDataGroup,        kDistillationGroup, kTrainingGroup,
    kSamplingGroup,  kServerGroup, kMeasurementGroup, kOutputGroup,       kComputeGroup};

constexpr char kNoBreak = '\x01';  // a space at which row() does not wrap

// Appends the words of `text` to `out`, which ends in `column`, with lines of at most `width`
// columns that are indented to `indent`.
void wrap(std::string& out, const std::string& text, size_t column, size_t indent, size_t width) {
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (column > indent && column + 1 + word.size() > width) {
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
}

// Returns "  left    text", with the text wrapped and indented to `indent`.
std::string row(const std::string& left, const std::string& text, size_t indent, size_t width) {
  std::string out = "  " + left;
  size_t column = out.size();
  if (column + 2 > indent) {
    out += "\n";
    column = 0;
  }
  out += std::string(indent - column, ' ');
  wrap(out, text, indent, indent, width);
  std::ranges::replace(out, kNoBreak, ' ');
  return out + "\n";
}

std::string description_of(const FlagDescription& flag) {
  std::string suffix = flag.default_value;
  if (!suffix.empty()) suffix = "[default: " + suffix + "]";
  if (flag.required) suffix = "[required]";
  std::ranges::replace(suffix, ' ', kNoBreak);
  return flag.help + " " + suffix;
}

std::string list_of(const std::vector<FlagDescription>& flags, size_t width) {
  std::string text;
  std::string group;
  for (const FlagDescription& flag : flags) {
    if (flag.group != group) text += "\n" + flag.group + ":\n";
    group = flag.group;
    text += row(usage_of(flag), description_of(flag), kColumn, width);
  }
  return text;
}

}  // namespace

size_t rank_of_group(std::string_view group) {
  return static_cast<size_t>(std::ranges::find(kGroups, group) - kGroups.begin());
}

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
      {"snapshot_every", kOutputGroup},
      {"evaluate_every", kMeasurementGroup},
      {"evaluate_num", kMeasurementGroup},
      {"microbatch", kComputeGroup},
      {"activation_checkpointing", kComputeGroup},
      {"precision", kComputeGroup}};
  const auto found = kGroupOf.find(name);
  return found == kGroupOf.end() ? kTrainingGroup : found->second;
}

std::string usage_of(const FlagDescription& flag) {
  std::string text = flag.short_name.empty() ? "" : flag.short_name + ", ";
  text += flag.negatable ? "--[no-]" + flag.name.substr(2) : flag.name;
  return flag.type.empty() ? text : text + " " + flag.type;
}

std::string usage_of(const CommandDescription& command) {
  std::string text = "Usage: halfstep " + command.name;
  bool options = false;
  for (const FlagDescription& flag : command.flags) {
    if (flag.required) text += " " + usage_of(flag);
    if (!flag.required && flag.is_argument()) text += " [" + flag.name + "]";
    options = options || !flag.is_argument();
  }
  return text + (options ? " [OPTIONS]" : "");
}

std::string wrapped(const std::string& text, size_t width) {
  std::string out;
  wrap(out, text, 0, 0, width);
  return out;
}

std::string help_text(const Description& program, size_t width) {
  std::string text = program.purpose + "\n\nUsage: halfstep COMMAND [OPTIONS]\n\nCommands:\n";
  for (const CommandDescription& command : program.commands)
    text += row(command.name, command.purpose, kCommandColumn, width);
  text += "\nOptions:\n";
  for (const FlagDescription& flag : program.flags)
    text += row(usage_of(flag), description_of(flag), kColumn, width);
  return text + "\n" + program.notes + "\n";
}

std::string help_text(const CommandDescription& command, size_t width) {
  const std::string text = wrapped(command.purpose, width) + "\n\n" + usage_of(command) + "\n" +
                           list_of(command.flags, width);
  return command.notes.empty() ? text : text + "\n" + command.notes + "\n";
}

size_t columns_of_stdout() {
  constexpr size_t kDefault = 80;
  constexpr size_t kLeast = 40;
  constexpr size_t kMost = 120;
  size_t columns = 0;
  if (const char* const text =
          std::getenv("COLUMNS")) {  // NOLINT(concurrency-mt-unsafe): no setenv
    const std::string_view value = text;
    std::from_chars(value.data(), value.data() + value.size(), columns);
  }
  winsize size{};
  if (columns == 0 && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) columns = size.ws_col;
  return columns == 0 ? kDefault : std::clamp(columns, kLeast, kMost);
}

}  // namespace halfstep::cli
