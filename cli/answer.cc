#include "cli/answer.h"

#include <algorithm>
#include <cstdio>

#include "cli/completion.h"
#include "cli/help.h"
#include "cli/man_page.h"
#include "halfstep/core/error.h"
#include "halfstep/core/spelling.h"

namespace halfstep::cli {
namespace {

constexpr int kWrongUsage = 2;

Answer refusal(const std::string& message) { return {.code = kWrongUsage, .error = message}; }

Answer help_of(const std::string& command, const Description& description, size_t width) {
  if (const CommandDescription* found = description.find(command))
    return {.out = help_text(*found, width)};
  const std::string meant = did_you_mean(command, description.names_of_commands());
  return refusal("[help] unknown command " + command +
                 (meant.empty() ? "; see 'halfstep --help'" : meant));
}

Answer completion_for(const std::vector<std::string>& shells, const Description& description) {
  if (shells.size() == 1 && shells[0] == "bash") return {.out = bash_completion(description)};
  if (shells.size() == 1 && shells[0] == "zsh") return {.out = zsh_completion(description)};
  if (shells.size() == 1 && shells[0] == "fish") return {.out = fish_completion(description)};
  std::string received;
  for (const std::string& shell : shells) received += (received.empty() ? "" : " ") + shell;
  return refusal("[completion] expected bash, zsh or fish, received " +
                 (received.empty() ? "none" : received));
}

bool is_help(const std::string& argument) { return argument == "--help" || argument == "-h"; }

}  // namespace

bool may_be_question(const std::vector<std::string>& arguments) {
  if (arguments.empty()) return false;
  const std::string& first = arguments[0];
  return first == "help" || first == "completion" || first == "--version" ||
         std::ranges::any_of(arguments, is_help);
}

std::optional<Answer> answer(const std::vector<std::string>& arguments,
                             const Description& description, size_t width) {
  if (arguments.empty()) return std::nullopt;
  const std::string& first = arguments[0];
  const std::vector<std::string> rest(arguments.begin() + 1, arguments.end());
  if (first == "--version") return Answer{.out = description.version + "\n"};
  if (is_help(first)) return Answer{.out = help_text(description, width)};
  const auto end = std::ranges::find(rest, "--");
  if (std::find_if(rest.begin(), end, is_help) != end && description.find(first) != nullptr)
    return help_of(first, description, width);
  if (first == "completion") return completion_for(rest, description);
  if (first != "help") return std::nullopt;
  if (rest.empty()) return Answer{.out = help_text(description, width)};
  if (rest.size() > 1) return refusal("[help] expected one command, received several");
  if (rest[0] == "--man") return Answer{.out = man_page(description)};
  return help_of(rest[0], description, width);
}

int give(const Answer& answer) {
  if (answer.code != 0) {
    std::fprintf(stderr, "halfstep: error: %s\n", one_line(answer.error).c_str());
    return answer.code;
  }
  std::fputs(answer.out.c_str(), stdout);
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return 0;
  std::fputs(
      "halfstep: error: [stdout] expected to write the results, received an error; check the disk "
      "space\n",
      stderr);
  return 1;
}

}  // namespace halfstep::cli
