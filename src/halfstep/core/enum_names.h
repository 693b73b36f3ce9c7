// Names of enumerators, the same in files, flags and messages. An enum gets its names by a
// specialisation of EnumNames beside it:
//
//   template <> struct EnumNames<Output> {
//     static constexpr auto kNames =
//         std::to_array<std::pair<Output, std::string_view>>({{Output::x, "x"}, ...});
//   };
#ifndef HALFSTEP_CORE_ENUM_NAMES_H_
#define HALFSTEP_CORE_ENUM_NAMES_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/core/spelling.h"

namespace halfstep {

template <class E>
struct EnumNames;

template <class E>
concept NamedEnum = requires {
  EnumNames<E>::kNames.size();
};

// Returns the name of `value`. Throws ConfigError if it is not one of the enumerators.
template <NamedEnum E>
std::string_view name_of(E value) {
  for (const auto& [enumerator, name] : EnumNames<E>::kNames) {
    if (enumerator == value) return name;
  }
  throw ConfigError("name_of", "expected a named enumerator, received " +
                                   std::to_string(static_cast<int>(value)));
}

// Returns all names, for messages and help: "x, eps, v or x_and_eps".
template <NamedEnum E>
std::string words_of() {
  std::string words;
  const auto& names = EnumNames<E>::kNames;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i > 0) words += i + 1 == names.size() ? " or " : ", ";
    words += names[i].second;
  }
  return words;
}

// Returns all names in order.
template <NamedEnum E>
std::vector<std::string> names_of() {
  std::vector<std::string> names;
  for (const auto& [enumerator, name] : EnumNames<E>::kNames) names.emplace_back(name);
  return names;
}

// Returns the enumerator called `word`, or nullopt if there is none.
template <NamedEnum E>
std::optional<E> find_enum(std::string_view word) {
  for (const auto& [enumerator, name] : EnumNames<E>::kNames) {
    if (name == word) return enumerator;
  }
  return std::nullopt;
}

// Returns the enumerator called `word`. Throws ConfigError, naming `where` and listing the accepted
// names, if there is none.
template <NamedEnum E>
E enum_of(std::string_view word, std::string_view where) {
  if (const std::optional<E> found = find_enum<E>(word)) return *found;
  throw ConfigError(where, "expected " + words_of<E>() + ", received \"" + std::string(word) +
                               "\"" + did_you_mean(word, names_of<E>()));
}

}  // namespace halfstep

#endif  // HALFSTEP_CORE_ENUM_NAMES_H_
