// Flags out of an options struct's list of fields: field ema_decay is --ema-decay. A flag that is
// not given leaves the field as it is.
#ifndef HALFSTEP_CLI_FIELD_FLAGS_H_
#define HALFSTEP_CLI_FIELD_FLAGS_H_

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

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

// All of `text` as a number. Stricter than the parser of flags, which lets -1 pass as an unsigned
// integer and cuts numbers that are too large.
template <class Number>
Number number_of(std::string_view text, const std::string& flag) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error == std::errc() && stop == end) return number;
  const char* const kind = std::is_floating_point_v<Number> ? "a number"
                           : std::is_unsigned_v<Number>     ? "an integer from 0 to 2^64 - 1"
                                                            : "an integer below 2^63";
  throw ConfigError(flag,
                    std::string("expected ") + kind + ", received \"" + std::string(text) + "\"");
}

template <class Options>
class FieldFlags {
 public:
  // `defaults` is what --help shows.
  explicit FieldFlags(CLI::App& command, const Options& defaults) {
    Options::for_each_field(defaults, [&](const char* name, const auto& field, const char* help) {
      using Field = std::decay_t<decltype(field)>;
      std::string flag = "--" + std::string(name);
      std::replace(flag.begin(), flag.end(), '_', '-');
      const std::string text = help_text(help, field);
      // `text` must be const: CLI11 takes other strings for the variable to write to
      if constexpr (std::is_same_v<Field, bool>) {
        flags_[name] = command.add_flag(flag + ",!--no-" + flag.substr(2), text);
      } else {
        flags_[name] = command.add_option(flag, text);
      }
    });
  }

  void apply(Options& options) const {
    Options::for_each_field(options, [&](const char* name, auto& field, const char* help) {
      const CLI::Option* flag = flags_.at(name);
      if (flag->count() == 0) return;
      using Field = typename InsideOptional<std::decay_t<decltype(field)>>::type;
      if constexpr (NamedEnum<Field>) {
        field = enum_of<Field>(flag->as<std::string>(), flag->get_name());
      } else if constexpr (std::is_same_v<Field, bool>) {
        field = flag->as<bool>();
      } else if constexpr (io::TextValue<Field>) {
        const auto text = flag->as<std::string>();
        const std::optional<Field> value = Field::of(text);
        if (!value) {
          throw ConfigError(flag->get_name(),
                            std::string("expected ") + help + ", received \"" + text + "\"");
        }
        field = *value;
      } else {
        field = number_of<Field>(flag->as<std::string>(), flag->get_name());
      }
    });
  }

 private:
  // What the field is, the words it takes and its default.
  template <class Field>
  static std::string help_text(const char* help, const Field& field) {
    std::string text = help;
    using Inside = typename InsideOptional<Field>::type;
    if constexpr (NamedEnum<Inside>) text += ": " + words_of<Inside>();
    if constexpr (std::is_same_v<Field, bool>) return text + (field ? " (on)" : " (off)");
    const nlohmann::json value = io::to_json_value(field);
    if (value.is_null()) return text;
    return text + " [" + (value.is_string() ? value.get<std::string>() : value.dump()) + "]";
  }

  std::map<std::string, CLI::Option*> flags_;
};

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_FIELD_FLAGS_H_
