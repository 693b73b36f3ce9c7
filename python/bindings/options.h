// Options given as keyword arguments: the names, types and limits are those of the fields of the
// library's options structs, which the command line reads as flags (cli/field_flags.h).
#ifndef HALFSTEP_PYTHON_BINDINGS_OPTIONS_H_
#define HALFSTEP_PYTHON_BINDINGS_OPTIONS_H_

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/error.h"
#include "halfstep/core/spelling.h"
#include "halfstep/io/fields.h"
#include "halfstep/io/quote.h"

namespace halfstep::python {

template <class T>
struct InsideOptional {
  using type = T;
};
template <class T>
struct InsideOptional<std::optional<T>> {
  using type = T;
};

// Sets the fields of `options` that `values` has, and removes them there. A value with a text form
// may be given as a number: checkpoint_every=500. Throws ConfigError for a value of a wrong type.
template <class Options>
void take_options(nlohmann::json& values, std::string_view where, Options& options,
                  std::vector<std::string>& known) {
  nlohmann::json own = nlohmann::json::object();
  Options::for_each_field(options, [&](const char* name, const auto& field, const char*) {
    known.emplace_back(name);
    const auto found = values.find(name);
    if (found == values.end()) return;
    using Field = typename InsideOptional<std::decay_t<decltype(field)>>::type;
    const bool as_text = io::TextValue<Field> && found->is_number();
    own[name] = as_text ? nlohmann::json(found->dump()) : *found;
    values.erase(found);
  });
  try {
    io::fields_from_json(own, options, where);
  } catch (const FormatError& error) {
    throw ConfigError(error.where(), error.text());
  }
}

// Sets the fields of several structs from one JSON object. Throws ConfigError, which names `where`,
// for a value of a wrong type and for a name that none of them has.
template <class... Options>
void set_options(nlohmann::json values, std::string_view where, Options&... options) {
  std::vector<std::string> known;
  (take_options(values, where, options, known), ...);
  if (values.empty()) return;
  const std::string name = values.begin().key();
  throw ConfigError(where, "expected the name of an option, received " + io::quote(name) +
                               did_you_mean(name, known));
}

// What Python calls the values of an option.
template <class T>
std::string python_type() {
  if constexpr (NamedEnum<T>) {
    std::string names;
    for (const std::string& name : names_of<T>())
      names += (names.empty() ? "\"" : ", \"") + name + "\"";
    return "Literal[" + names + "]";
  } else if constexpr (io::TextValue<T>) {
    return "float | str";
  } else if constexpr (std::is_same_v<T, bool>) {
    return "bool";
  } else {
    return std::is_integral_v<T> ? "int" : "float";
  }
}

struct OptionText {
  std::string name;
  std::string type;  // such as "int"
  std::string help;
};

// Appends a description of each field.
template <class Options>
void describe_options(std::vector<OptionText>& texts) {
  const Options defaults;
  Options::for_each_field(defaults, [&](const char* name, const auto& field, const char* help) {
    using Field = typename InsideOptional<std::decay_t<decltype(field)>>::type;
    texts.push_back({.name = name, .type = python_type<Field>(), .help = help});
  });
}

}  // namespace halfstep::python

#endif  // HALFSTEP_PYTHON_BINDINGS_OPTIONS_H_
