// Conversion between options structs and JSON.
//
// An options struct lists its fields once, in a static for_each_field(self, visit) that calls
// visit(name, field, help) for each. Writing JSON and reading JSON are two visitors of that list;
// the command line is a third. So a field has the same name as its JSON key and its flag.
#ifndef HALFSTEP_IO_FIELDS_H_
#define HALFSTEP_IO_FIELDS_H_

#include <algorithm>
#include <concepts>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/enum_names.h"
#include "halfstep/core/error.h"
#include "halfstep/core/spelling.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

// A type with its own text form, such as "10m". T::of returns nullopt for any other text.
template <class T>
concept TextValue = requires(const T& value, std::string_view text) {
  { value.text() } -> std::same_as<std::string>;
  { T::of(text) } -> std::same_as<std::optional<T>>;
  { T::kSyntax } -> std::convertible_to<std::string>;    // what of() accepts, for messages
  { T::kTypeName } -> std::convertible_to<std::string>;  // what --help calls it
};

// ---- To JSON. An empty optional becomes null, an enumerator its name.
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

// ---- From JSON. Types and keys are checked strictly: an ignored typo could waste days of
// training.

// Reads one value of type T. read() returns false, and leaves `value` as it is, for JSON of another
// type or an unknown name; expected() describes what it accepts: "an integer", "a number or null".
template <class T>
struct JsonField {
  static std::string expected() {
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
  static std::string expected() { return "a path"; }

  static bool read(const nlohmann::json& json, std::filesystem::path& value) {
    if (!json.is_string()) return false;
    value = json.get<std::string>();
    return true;
  }
};

template <class T>
struct JsonField<std::optional<T>> {
  static std::string expected() { return JsonField<T>::expected() + ", or null"; }

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
  static std::string expected() { return "an array, each element " + JsonField<T>::expected(); }

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

// Sets the fields of `options` that `json` has; the others keep their values. Throws FormatError,
// naming `where` and the key, for a value of the wrong type, an unknown enumerator or an unknown
// key.
template <class Options>
void fields_from_json(const nlohmann::json& json, Options& options, std::string_view where) {
  if (!json.is_object())
    throw FormatError(where, "expected a JSON object, received " + std::string(json.type_name()));
  std::vector<std::string> known;
  std::string names;
  Options::for_each_field(options, [&](const char* name, auto& field, const char*) {
    known.emplace_back(name);
    names += (names.empty() ? "" : ", ") + std::string(name);
    const auto found = json.find(name);
    if (found == json.end()) return;
    using Reader = JsonField<std::decay_t<decltype(field)>>;
    if (Reader::read(*found, field)) return;
    throw FormatError(where,
                      std::string(name) + ": expected " + Reader::expected() + ", received " +
                          (found->is_string() ? quote(found->get<std::string>()) : found->dump()));
  });
  for (const auto& [key, value] : json.items()) {
    if (std::ranges::find(known, key) == known.end()) {
      throw FormatError(where, "unknown key " + quote(key) + ": expected one of " + names +
                                   did_you_mean(key, known));
    }
  }
}

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_FIELDS_H_
