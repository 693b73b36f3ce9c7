// Flags made from the fields of an options struct: field ema_decay becomes --ema-decay. A flag that
// is not given leaves its field as it is.
#ifndef HALFSTEP_CLI_FIELD_FLAGS_H_
#define HALFSTEP_CLI_FIELD_FLAGS_H_

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <optional>
#include <sstream>
#include <string>
#include <type_traits>

#include "cli/help.h"
#include "cli/values.h"
#include "halfstep/core/enum_names.h"
#include "halfstep/core/error.h"
#include "halfstep/io/fields.h"

namespace halfstep::cli {

template <class T>
struct InsideOptional {
  using type = T;
};
template <class T>
struct InsideOptional<std::optional<T>> {
  using type = T;
};

// Returns what --help calls the value of a flag for a field of type T.
template <class T>
const char* type_name_of() {
  if constexpr (NamedEnum<T>) return "NAME";
  if constexpr (io::TextValue<T>) return T::kTypeName;
  return ValueType<T>::kName;
}

template <class Options>
class FieldFlags {
 public:
  // Adds one flag per field. --help shows the values of `defaults` as the defaults.
  explicit FieldFlags(CLI::App& command, const Options& defaults) {
    const std::string group = command.option_defaults()->get_group();
    Options::for_each_field(defaults, [&](const char* name, const auto& field, const char* help) {
      using Field = std::decay_t<decltype(field)>;
      using Inside = typename InsideOptional<Field>::type;
      command.option_defaults()->group(group_of_field(name));
      std::string flag = "--" + std::string(name);
      std::replace(flag.begin(), flag.end(), '_', '-');
      // const: CLI11 would take another string for the variable to write to
      const std::string text = help_of(help, field);
      CLI::Option* option = nullptr;
      if constexpr (std::is_same_v<Field, bool>) {
        option = command.add_flag(flag + ",!--no-" + flag.substr(2), text);
      } else {
        option = command.add_option(flag, text)->type_name(type_name_of<Inside>());
        if constexpr (NamedEnum<Inside>) offer(option, names_of<Inside>());
      }
      option->default_str(default_of(field));
      flags_[name] = option;
    });
    command.option_defaults()->group(group);
  }

  // Sets the fields whose flags were given. Throws ConfigError for a value of the wrong type.
  void apply(Options& options) const {
    Options::for_each_field(options, [&](const char* name, auto& field, const char*) {
      const CLI::Option* flag = flags_.at(name);
      if (flag->count() == 0) return;
      using Field = typename InsideOptional<std::decay_t<decltype(field)>>::type;
      if constexpr (NamedEnum<Field>) {
        field = enum_of<Field>(flag->as<std::string>(), flag->get_name());
      } else if constexpr (std::is_same_v<Field, bool>) {
        field = flag->as<bool>();
      } else if constexpr (io::TextValue<Field>) {
        field = text_value<Field>(flag->as<std::string>(), flag->get_name());
      } else {
        field = number_of<Field>(flag->as<std::string>(), flag->get_name());
      }
    });
  }

 private:
  // Returns the help sentence, with the names that an enum takes.
  template <class Field>
  static std::string help_of(const char* help, const Field&) {
    using Inside = typename InsideOptional<Field>::type;
    if constexpr (NamedEnum<Inside>) return std::string(help) + " (" + words_of<Inside>() + ")";
    return help;
  }

  // Returns the default as --help shows it; empty if there is none.
  template <class Field>
  static std::string default_of(const Field& field) {
    if constexpr (std::is_same_v<Field, bool>) return field ? "on" : "off";
    if constexpr (std::is_floating_point_v<Field>) return (std::ostringstream() << field).str();
    const nlohmann::json value = io::to_json_value(field);
    if (value.is_null()) return "";
    return value.is_string() ? value.get<std::string>() : value.dump();
  }

  std::map<std::string, CLI::Option*> flags_;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_FIELD_FLAGS_H_
