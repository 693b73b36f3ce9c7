#include "cli/completion.h"

#include <string_view>

namespace halfstep::cli {
namespace {

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

// Returns all flags of a command as the user types them, --help included.
std::string flags_of(const CommandDescription& command) {
  std::vector<std::string> names = {"--help"};
  for (const FlagDescription& flag : command.flags) {
    if (flag.is_argument()) continue;
    names.push_back(flag.name);
    if (flag.negatable) names.push_back("--no-" + flag.name.substr(2));
  }
  return joined(names);
}

bool has_value(const FlagDescription& flag) { return flag.is_argument() || !flag.type.empty(); }

// ---- bash

// Returns the calls that complete the value of a flag.
std::string bash_value(const FlagDescription& flag) {
  const std::string list = takes_list(flag) ? "list" : "words";
  std::string call;
  if (!flag.words.empty()) call += "_halfstep_" + list + " '" + joined(flag.words) + "'; ";
  if (value_kind(flag) == ValueKind::files) call += "_halfstep_paths -f; ";
  if (value_kind(flag) == ValueKind::folders) call += "_halfstep_paths -d; ";
  return call;
}

constexpr std::string_view kBashBegin =
    R"sh(# bash completion for halfstep; made by 'halfstep completion bash'.

_halfstep_words() { mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$1" -- "$current"); }

_halfstep_list() {
  local before=
  case $current in *,*) before=${current%,*}, ;; esac
  mapfile -t COMPREPLY < <(compgen -P "$before" -W "$1" -- "${current##*,}")
}

_halfstep_paths() {
  compopt -o filenames
  mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$1" -- "$current")
}

)sh";

constexpr std::string_view kBashMain = R"sh(_halfstep() {
  local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD-1]}
  local command=${COMP_WORDS[1]}
  COMPREPLY=()
  if [ "$current" = = ]; then  # --flag=value is three words
    current=
  elif [ "$previous" = = ]; then
    previous=${COMP_WORDS[COMP_CWORD-2]}
  fi
  if [ "$COMP_CWORD" = 1 ]; then
)sh";

constexpr std::string_view kBashEnd = R"sh(    return
  fi
  _halfstep_value || _halfstep_flag_or_argument
}

complete -F _halfstep halfstep
)sh";

// ---- zsh

// Escapes text between the brackets of a description of _arguments, in single quotes.
std::string zsh_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '[' || c == ']' || c == ':' || c == '\\') out += '\\';
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  return out;
}

// Returns "type:action" for the value of a flag.
std::string zsh_value(const FlagDescription& flag) {
  const std::string message = zsh_text(flag.is_argument() ? flag.name : flag.type);
  const ValueKind kind = value_kind(flag);
  const std::string words = joined(flag.words);
  if (!words.empty() && kind != ValueKind::none) {
    return message + ": _halfstep_words_or_files " +
           words;  // the space: without options of compadd
  }
  if (!words.empty() && takes_list(flag)) return message + ":_sequence compadd - " + words;
  if (!words.empty()) return message + ":(" + words + ")";
  if (kind == ValueKind::files) return message + ":_files";
  if (kind == ValueKind::folders) return message + ":_files -/";
  return message + ": ";
}

std::string zsh_flag(const FlagDescription& flag) {
  const std::string help = "[" + zsh_text(flag.help) + "]";
  if (flag.is_argument()) return " \\\n        '1:" + zsh_value(flag) + "'";
  if (flag.type.empty()) {
    std::string text = " \\\n        '" + flag.name + help + "'";
    if (flag.negatable) text += " \\\n        '--no-" + flag.name.substr(2) + help + "'";
    return text;
  }
  return " \\\n        '" + std::string(flag.several ? "*" : "") + flag.name + "=" + help + ":" +
         zsh_value(flag) + "'";
}

// ---- fish

std::string fish_quoted(std::string_view text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'' || c == '\\') out += '\\';
    out += c;
  }
  return out + "'";
}

// Returns the options of `complete` for a value.
std::string fish_value(const FlagDescription& flag) {
  const ValueKind kind = value_kind(flag);
  std::string text;
  if (!flag.words.empty()) text += " -a " + fish_quoted(joined(flag.words));
  if (kind == ValueKind::files) return " -r -F" + text;
  if (kind == ValueKind::folders) return " -x -a '(__fish_complete_directories)'";
  return " -x" + text;
}

std::string fish_command(const CommandDescription& command) {
  const std::string begin =
      "complete -c halfstep -n '__fish_seen_subcommand_from " + command.name + "'";
  std::string text = begin + " -l help -s h -d 'Print this help and exit'\n";
  for (const FlagDescription& flag : command.flags) {
    if (flag.is_argument()) {
      text += begin + (value_kind(flag) == ValueKind::none ? " -f" : "") + fish_value(flag) + "\n";
      continue;
    }
    const std::string help = " -d " + fish_quoted(flag.help);
    text += begin + " -l " + flag.name.substr(2) + (has_value(flag) ? fish_value(flag) : "") +
            help + "\n";
    if (flag.negatable) text += begin + " -l no-" + flag.name.substr(2) + help + "\n";
  }
  return text;
}

}  // namespace

ValueKind value_kind(const FlagDescription& flag) {
  const std::string& type = flag.is_argument() ? flag.name : flag.type;
  if (type == "FOLDER" || type == "RUN") return ValueKind::folders;
  for (const char* word : {"FILE", "PATH", "MODEL", "DATA"}) {
    if (type.find(word) != std::string::npos) return ValueKind::files;
  }
  return ValueKind::none;
}

bool takes_list(const FlagDescription& flag) { return flag.type.ends_with(",..."); }

std::string bash_completion(const Description& program) {
  std::string values;
  std::string others;  // patterns of the flags with values that nothing completes
  std::string flags;
  for (const CommandDescription& command : program.commands) {
    flags += "    " + command.name + ") flags='" + flags_of(command) + "'";
    for (const FlagDescription& flag : command.flags) {
      if (flag.is_argument()) {
        flags += "\n      [[ $current == -* ]] || { " + bash_value(flag) + "flags=; }";
      } else if (const std::string value = bash_value(flag); has_value(flag) && value.empty()) {
        others += "    " + command.name + ":" + flag.name + ") ;;\n";
      } else if (has_value(flag)) {
        values += "    " + command.name + ":" + flag.name + ") " + value + ";;\n";
      }
    }
    flags += " ;;\n";
  }
  return std::string(kBashBegin) +
         "# Completes the value of the flag $previous. Fails if it is no flag with a value.\n"
         "_halfstep_value() {\n  case $command:$previous in\n" +
         values + others + "    *) return 1 ;;\n  esac\n}\n\n_halfstep_flag_or_argument() {\n" +
         "  local flags=\n  case $command in\n" + flags +
         "  esac\n  _halfstep_words \"$flags\"\n}\n\n" + std::string(kBashMain) +
         "    _halfstep_words '" + joined(program.names_of_commands()) + " --help --version'\n" +
         std::string(kBashEnd);
}

std::string zsh_completion(const Description& program) {
  std::string text =
      "#compdef halfstep\n# zsh completion for halfstep; made by 'halfstep completion zsh'.\n\n"
      "_halfstep_words_or_files() { compadd -- \"$@\"; _files }\n\n"
      "_halfstep() {\n  if (( CURRENT == 2 )); then\n    local -a commands=(\n";
  for (const CommandDescription& command : program.commands)
    text += "      '" + command.name + ":" + zsh_text(command.purpose) + "'\n";
  text += "    )\n    _describe command commands\n";
  text +=
      "    _arguments '--help[Print the help]' '--version[Print the version]'\n    return\n  fi\n";
  text += "  local command=$words[2]\n  shift words\n  (( CURRENT-- ))\n  case $command in\n";
  for (const CommandDescription& command : program.commands) {
    text += "    " + command.name + ")\n      _arguments \\\n        '(-h --help)'{-h,--help}" +
            "'[Print this help and exit]'";
    for (const FlagDescription& flag : command.flags) text += zsh_flag(flag);
    text += " ;;\n";
  }
  return text +
         "  esac\n}\n\n"
         "if [ \"$funcstack[1]\" = _halfstep ]; then\n  _halfstep \"$@\"\nelse\n"
         "  compdef _halfstep halfstep\nfi\n";
}

std::string fish_completion(const Description& program) {
  std::string text =
      "# fish completion for halfstep; made by 'halfstep completion fish'.\n\n"
      "complete -c halfstep -f\n"
      "complete -c halfstep -n __fish_use_subcommand -l help -s h -d 'Print this help and exit'\n"
      "complete -c halfstep -n __fish_use_subcommand -l version -d 'Print the version and exit'\n";
  for (const CommandDescription& command : program.commands) {
    text += "complete -c halfstep -n __fish_use_subcommand -a " + command.name + " -d " +
            fish_quoted(command.purpose) + "\n";
  }
  for (const CommandDescription& command : program.commands) text += "\n" + fish_command(command);
  return text;
}

}  // namespace halfstep::cli
