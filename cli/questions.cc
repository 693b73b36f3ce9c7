// halfstep config, help and completion. The launcher answers help and completion; they are commands
// here so that the help, the completions and the manual page list them.
#include <cstdio>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"
#include "cli/help.h"
#include "cli/values.h"
#include "halfstep/core/error.h"
#include "halfstep/core/spelling.h"
#include "halfstep/io/quote.h"
#include "halfstep/train/builtin_configs.h"

namespace halfstep::cli {
namespace {

int print_names() {
  for (const BuiltinConfig& config : builtin_configs())
    std::printf("%s\n", std::string(config.name).c_str());
  return kDone;
}

int print_config(const std::string& name) {
  for (const BuiltinConfig& config : builtin_configs()) {
    if (config.name != name) continue;
    std::printf("%s", std::string(config.json).c_str());
    return kDone;
  }
  throw ConfigError("NAME", "expected a built-in configuration, received " + io::quote(name) +
                                did_you_mean(name, names_of_configs()) +
                                "; 'halfstep config' lists them");
}

}  // namespace

void add_config(CLI::App& program, Action& action) {
  CLI::App* command =
      program.add_subcommand("config", "Print a built-in configuration as JSON, or their names");
  command->footer(
      "Examples:\n"
      "  halfstep config\n"
      "  halfstep config small > mine.json");
  auto name = std::make_shared<std::optional<std::string>>();
  offer(add_value(*command, "name", *name, "Configuration to print (default: list all names)"),
        names_of_configs());
  command->callback([&action, name] {
    action = [name] { return *name ? print_config(**name) : print_names(); };
  });
}

void add_help(CLI::App& program, Action&) {
  CLI::App* command = program.add_subcommand("help", "Print the help of a command");
  command->footer(
      "Examples:\n"
      "  halfstep help sample\n"
      "  halfstep help --man | man -l -");
  std::vector<std::string> names;
  for (const CLI::App* other : program.get_subcommands([](const CLI::App*) { return true; }))
    names.push_back(other->get_name());
  offer(command->add_option("command", "Command (default: the list of commands)"), names);
  command->option_defaults()->group(kOutputGroup);
  command->add_flag("--man")->description("Print the manual page halfstep(1) instead");
}

void add_completion(CLI::App& program, Action&) {
  CLI::App* command =
      program.add_subcommand("completion", "Print the completion script of a shell");
  command->footer(
      "Examples:\n"
      "  source <(halfstep completion bash)\n"
      "  halfstep completion zsh > \"${fpath[1]}/_halfstep\"\n"
      "  halfstep completion fish > ~/.config/fish/completions/halfstep.fish\n\n"
      "'cmake --install' puts the scripts where the shells find them.");
  offer(command->add_option("shell", "bash, zsh or fish")->required(), {"bash", "zsh", "fish"});
}

}  // namespace halfstep::cli
