// Conversion between options structs and JSON.
//
// An options struct lists its fields once, in a static for_each_field(self, visit) that calls
// visit(name, field, help). Reading JSON, writing JSON and the command line are visitors of that
// list, so a flag, its JSON key and the field have the same name. `help` is the sentence that
// --help shows; error messages name the type of the field instead (type_words).
#ifndef HALFSTEP_IO_FIELDS_H_
#define HALFSTEP_IO_FIELDS_H_

#include <concepts>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/error.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

// A type that is written as a string of its own syntax, such as "10m".
template <class T>
concept TextValue = requires(const T& value, std::string_view text) {
  { value.text() } -> std::same_as<std::string>;
  { T::of(text) } -> std::same_as<std::optional<T>>;   // none if `text` is not valid
  { T::kSyntax } -> std::convertible_to<std::string>;  // what is valid, for error messages
};

// Returns what a field of type T accepts, for error messages: "an integer", "a number or null".
template <class T>
struct TypeWords {
  static std::string get() {
    if constexpr (NamedEnum<T>) {
      return words_of<T>();
    } else if constexpr (TextValue<T>) {
      return T::kSyntax;
    } else if constexpr (std::is_same_v<T, bool>) {
      return "true or false";
    } else if constexpr (std::is_unsigned_v<T>) {
      return "an unsigned integer";
    } else if constexpr (std::is_integral_v<T>) {
      return "an integer";
    } else if constexpr (std::is_floating_point_v<T>) {
      return "a number";
    } else {
      return "a string";
    }
  }
};

template <class T>
struct TypeWords<std::optional<T>> {
  static std::string get() { return TypeWords<T>::get() + " or null"; }
};

template <class T>
struct TypeWords<std::vector<T>> {
  static std::string get() { return "an array, each element " + TypeWords<T>::get(); }
};

template <class T>
std::string type_words() {
  return TypeWords<T>::get();
}

// ---- to JSON. An empty optional is null, an enumerator its name.
template <class T>
nlohmann::json to_json_value(const T& value) {
  if constexpr (NamedEnum<T>) {
    return std::string(name_of(value));
  } else if constexpr (TextValue<T>) {
    return value.text();
  } else {
    return nlohmann::json(value);
  }
}

template <class T>
nlohmann::json to_json_value(const std::optional<T>& value) {
  return value ? to_json_value(*value) : nlohmann::json(nullptr);
}

template <class T>
nlohmann::json to_json_value(const std::vector<T>& values) {
  nlohmann::json json = nlohmann::json::array();
  for (const T& value : values) json.push_back(to_json_value(value));
  return json;
}

inline nlohmann::json to_json_value(const std::filesystem::path& value) { return value.string(); }

// Returns an object with one key per field.
template <class Options>
nlohmann::json fields_to_json(const Options& options) {
  nlohmann::json json = nlohmann::json::object();
  Options::for_each_field(options, [&](const char* name, const auto& field, const char*) {
    json[name] = to_json_value(field);
  });
  return json;
}

// ---- from JSON. Types and keys are strict: a typo must not train for days with the default.
// read() returns false if the JSON value has another type or is an unknown word.
template <class T>
struct JsonField {
  static bool read(const nlohmann::json& json, T& value) {
    if constexpr (NamedEnum<T>) {
      const std::optional<T> read =
          json.is_string() ? find_enum<T>(json.get<std::string>()) : std::nullopt;
      if (read) value = *read;
      return read.has_value();
    } else if constexpr (TextValue<T>) {
      const std::optional<T> read =
          json.is_string() ? T::of(json.get<std::string>()) : std::nullopt;
      if (read) value = *read;
      return read.has_value();
    } else if constexpr (std::is_same_v<T, bool>) {
      if (!json.is_boolean()) return false;
    } else if constexpr (std::is_unsigned_v<T>) {
      if (!json.is_number_unsigned()) return false;
    } else if constexpr (std::is_integral_v<T>) {
      if (!json.is_number_integer()) return false;
    } else if constexpr (std::is_floating_point_v<T>) {
      if (!json.is_number()) return false;
    } else {
      if (!json.is_string()) return false;
    }
    if constexpr (!NamedEnum<T> && !TextValue<T>) value = json.get<T>();
    return true;
  }
};

template <>
struct JsonField<std::filesystem::path> {
  static bool read(const nlohmann::json& json, std::filesystem::path& value) {
    if (!json.is_string()) return false;
    value = json.get<std::string>();
    return true;
  }
};

template <class T>
struct JsonField<std::optional<T>> {
  static bool read(const nlohmann::json& json, std::optional<T>& value) {
    if (json.is_null()) {
      value.reset();
      return true;
    }
    T inner{};
    if (!JsonField<T>::read(json, inner)) return false;
    value = std::move(inner);
    return true;
  }
};

template <class T>
struct JsonField<std::vector<T>> {
  static bool read(const nlohmann::json& json, std::vector<T>& value) {
    if (!json.is_array()) return false;
    std::vector<T> elements;
    for (const nlohmann::json& element : json) {
      T inner{};
      if (!JsonField<T>::read(element, inner)) return false;
      elements.push_back(std::move(inner));
    }
    value = std::move(elements);
    return true;
  }
};

// Reads the fields of `options` from a JSON object. Fields without a key keep their value. Throws
// FormatError, naming `where` and the key, for a value of the wrong type, a word that names no
// enumerator, and a key that is no field.
template <class Options>
void fields_from_json(const nlohmann::json& json, Options& options, std::string_view where) {
  if (!json.is_object())
    throw FormatError(where, "expected a JSON object, received " + std::string(json.type_name()));
  std::set<std::string> known;
  std::string names;
  Options::for_each_field(options, [&](const char* name, auto& field, const char*) {
    known.insert(name);
    names += (names.empty() ? "" : ", ") + std::string(name);
    const auto found = json.find(name);
    if (found == json.end()) return;
    using Field = std::decay_t<decltype(field)>;
    if (JsonField<Field>::read(*found, field)) return;
    throw FormatError(where,
                      std::string(name) + ": expected " + type_words<Field>() + ", received " +
                          (found->is_string() ? quote(found->get<std::string>()) : found->dump()));
  });
  for (const auto& [key, value] : json.items()) {
    if (!known.contains(key)) {
      throw FormatError(where, "unknown key " + quote(key) + ": expected one of " + names);
    }
  }
}

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_FIELDS_H_
