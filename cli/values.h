// Flags whose values are checked as they are read: numbers are never clamped or cut, and paths are
// never empty.
#ifndef HALFSTEP_CLI_VALUES_H_
#define HALFSTEP_CLI_VALUES_H_

#include <CLI/CLI.hpp>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/quote.h"

namespace halfstep::cli {

// Parses all of `text` as a number. Throws ConfigError, which names `flag`, for other text, for a
// number that does not fit and for infinity and NaN. (CLI11 would take -1 as an unsigned integer
// and clamp numbers that are too large.)
template <class Number>
Number number_of(std::string_view text, const std::string& flag) {
  Number number{};
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  bool valid = error == std::errc() && stop == end;
  if constexpr (std::is_floating_point_v<Number>) valid = valid && std::isfinite(number);
  if (valid) return number;
  const char* const kind = std::is_floating_point_v<Number> ? "a finite number"
                           : std::is_unsigned_v<Number>     ? "an integer from 0 to 2^64 - 1"
                                                            : "an integer below 2^63";
  throw ConfigError(flag, std::string("expected ") + kind + ", received " + io::quote(text));
}

// Returns the path `text`. Throws ConfigError, which names `flag`, if it is empty or not UTF-8,
// which neither options.json nor a report could record.
std::filesystem::path path_of(const std::string& text, const std::string& flag);

// Parses the value of a flag whose type has its own text form (io::TextValue). Throws ConfigError,
// which names `flag`, for other text.
template <class T>
T text_value(const std::string& text, const std::string& flag) {
  const std::optional<T> value = T::of(text);
  if (value) return *value;
  throw ConfigError(flag, "expected " + std::string(T::kSyntax) + ", received \"" + text + "\"");
}

// Reads one value of a flag.
template <class T>
void read_value(const std::string& text, const std::string& flag, T& value) {
  if constexpr (std::is_same_v<T, std::filesystem::path>) {
    value = path_of(text, flag);
  } else if constexpr (std::is_arithmetic_v<T>) {
    value = number_of<T>(text, flag);
  } else {
    value = text;
  }
}

template <class T>
void read_value(const std::string& text, const std::string& flag, std::optional<T>& value) {
  read_value(text, flag, value.emplace());
}

template <class T>
void read_values(const CLI::results_t& words, const std::string& flag, T& value) {
  read_value(words.at(0), flag, value);
}

template <class T>
void read_values(const CLI::results_t& words, const std::string& flag, std::vector<T>& values) {
  values.clear();
  for (const std::string& word : words) read_value(word, flag, values.emplace_back());
}

// Returns what --help calls a value of type T.
template <class T>
struct ValueType {
  static constexpr const char* kName = std::is_floating_point_v<T>                ? "FLOAT"
                                       : std::is_integral_v<T>                    ? "INT"
                                       : std::is_same_v<T, std::filesystem::path> ? "PATH"
                                                                                  : "NAME";
  static constexpr bool kSeveral = false;
};
template <class T>
struct ValueType<std::optional<T>> : ValueType<T> {};
template <class T>
struct ValueType<std::vector<T>> : ValueType<T> {
  static constexpr bool kSeveral = true;
};

// Returns what messages call a flag or an argument: "--batch", "RUN"; the first of several names.
std::string place_of(const std::string& name);

// Adds a flag such as "--batch", or a positional argument such as "run", that sets `value`.
template <class T>
CLI::Option* add_value(CLI::App& command, const std::string& name, T& value,
                       const std::string& help) {
  CLI::Option* option = command.add_option(
      name,
      [&value, place = place_of(name)](const CLI::results_t& words) {
        read_values(words, place, value);
        return true;
      },
      help);
  option->type_name(ValueType<T>::kName);
  if constexpr (ValueType<T>::kSeveral) option->expected(CLI::detail::expected_max_vector_size);
  if constexpr (std::is_arithmetic_v<T>) option->default_str(CLI::detail::to_string(value));
  if constexpr (std::is_same_v<T, std::string>) option->default_str(value);
  if constexpr (std::is_same_v<T, std::filesystem::path>) option->default_str(value.string());
  return option;
}

// Records the words that a flag takes, for completion. The command checks the value itself.
CLI::Option* offer(CLI::Option* option, const std::vector<std::string>& words);

}  // namespace halfstep::cli

#endif  // HALFSTEP_CLI_VALUES_H_
