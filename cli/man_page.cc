#include "cli/man_page.h"

#include <sstream>
#include <string_view>

#include "cli/help.h"

namespace halfstep::cli {
namespace {

constexpr std::string_view kDate = "2026-11-29";  // of the last change of its form
constexpr size_t kWidth = 70;                     // of the lines of the source

// Escapes text for roff: backslashes, hyphens, and dots and quotes at the start of a line.
std::string roff(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool begins_line = out.empty() || out.back() == '\n';
    if (begins_line && (c == '.' || c == '\'')) out += "\\&";
    if (c == '\\') {
      out += "\\e";
    } else if (c == '-') {
      out += "\\-";
    } else if (c == '\'') {
      out += "\\(aq";
    } else {
      out += c;
    }
  }
  return out;
}

std::string flag_text(const FlagDescription& flag) {
  std::string text = flag.help;
  if (flag.required) text += " [required]";
  if (!flag.default_value.empty()) text += " [default: " + flag.default_value + "]";
  return ".TP\n.B " + roff(usage_of(flag)) + "\n" + roff(wrapped(text, kWidth)) + "\n";
}

// Returns the examples as they are and other notes as paragraphs.
std::string notes_text(const std::string& notes) {
  std::string text;
  bool example = false;
  std::istringstream lines(notes);
  for (std::string line; std::getline(lines, line);) {
    const bool is_example = line.starts_with("  ");
    if (is_example && !example) text += ".PP\n.EX\n";
    if (!is_example && example) text += ".EE\n";
    if (!is_example && !line.empty() && !text.empty()) text += ".PP\n";
    if (!line.empty()) text += roff(is_example ? line : wrapped(line, kWidth)) + "\n";
    example = is_example;
  }
  return example ? text + ".EE\n" : text;
}

std::string command_text(const CommandDescription& command) {
  std::string text = ".SH " + roff("halfstep " + command.name) + "\n";
  text += roff(wrapped(command.purpose, kWidth)) + ".\n.PP\n" +
          roff(wrapped(usage_of(command), kWidth)) + "\n";
  std::string group;
  for (const FlagDescription& flag : command.flags) {
    if (flag.group != group) text += ".SS " + roff(flag.group) + "\n";
    group = flag.group;
    text += flag_text(flag);
  }
  return text + ".SS Notes\n" + notes_text(command.notes);
}

constexpr std::string_view kEnd = R"(.SH EXIT STATUS
.TP
.B 0
Success.
.TP
.B 1
Failure: a file is missing or invalid, or cannot be written.
.TP
.B 2
Wrong usage: an unknown flag, or settings that do not fit each other or the data.
.TP
.B 130
Interrupted. Runs save their state first;
.B halfstep resume
continues them.
)";

}  // namespace

std::string man_page(const Description& program) {
  std::string text =
      ".TH HALFSTEP 1 " + std::string(kDate) + " \"halfstep " + roff(program.version) + "\"\n";
  text += ".SH NAME\nhalfstep \\- distil diffusion models to a few sampling steps\n";
  text += ".SH SYNOPSIS\n.B halfstep\n.I COMMAND\n[OPTIONS]\n.SH COMMANDS\n";
  for (const CommandDescription& command : program.commands)
    text += ".TP\n.B " + roff(command.name) + "\n" + roff(command.purpose) + ".\n";
  text += ".SH OPTIONS\n";
  for (const FlagDescription& flag : program.flags) text += flag_text(flag);
  for (const CommandDescription& command : program.commands) text += command_text(command);
  return text + std::string(kEnd);
}

}  // namespace halfstep::cli
