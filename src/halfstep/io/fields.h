// An options struct lists its fields once, in a static for_each_field(self, visit) that calls
// visit(name, field, help); JSON in and out are two visitors of that list (and the command line is
// a third). So flag = JSON key = field.
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

// A value that is written as a word of its own: "10m".
template <class T>
concept TextValue = requires(const T& value, std::string_view text) {
  { value.text() } -> std::same_as<std::string>;
  { T::of(text) } -> std::same_as<std::optional<T>>;  // none: not such a word
};

// ---- to JSON: an empty optional is null, an enum its word.
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

template <class Options>
nlohmann::json fields_to_json(const Options& options) {
  nlohmann::json json = nlohmann::json::object();
  Options::for_each_field(options, [&](const char* name, const auto& field, const char*) {
    json[name] = to_json_value(field);
  });
  return json;
}

// ---- from JSON: strict in type and key, since what reads as a typo otherwise trains for days.
template <class T>
struct JsonField {
  static bool read(const nlohmann::json& json, T& value, std::string_view where) {
    if constexpr (NamedEnum<T>) {
      if (!json.is_string()) return false;
      value = enum_of<T>(json.get<std::string>(), where);
      return true;
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
  static bool read(const nlohmann::json& json, std::filesystem::path& value, std::string_view) {
    if (!json.is_string()) return false;
    value = json.get<std::string>();
    return true;
  }
};

template <class T>
struct JsonField<std::optional<T>> {
  static bool read(const nlohmann::json& json, std::optional<T>& value, std::string_view where) {
    if (json.is_null()) {
      value.reset();
      return true;
    }
    T inner{};
    if (!JsonField<T>::read(json, inner, where)) return false;
    value = std::move(inner);
    return true;
  }
};

template <class T>
struct JsonField<std::vector<T>> {
  static bool read(const nlohmann::json& json, std::vector<T>& value, std::string_view where) {
    if (!json.is_array()) return false;
    std::vector<T> elements;
    for (const nlohmann::json& element : json) {
      T inner{};
      if (!JsonField<T>::read(element, inner, where)) return false;
      elements.push_back(std::move(inner));
    }
    value = std::move(elements);
    return true;
  }
};

// Fields that the JSON lacks keep their value. Throws FormatError, naming `where` and the key, for
// a value of another type, an unknown word and a key that no field has.
template <class Options>
void fields_from_json(const nlohmann::json& json, Options& options, std::string_view where) {
  if (!json.is_object())
    throw FormatError(where, "expected a JSON object, received " + std::string(json.type_name()));
  std::set<std::string> known;
  std::string names;
  Options::for_each_field(options, [&](const char* name, auto& field, const char* help) {
    known.insert(name);
    names += (names.empty() ? "" : ", ") + std::string(name);
    const auto found = json.find(name);
    if (found == json.end()) return;
    const std::string key = std::string(where) + ": " + name;
    try {
      if (JsonField<std::decay_t<decltype(field)>>::read(*found, field, key)) return;
    } catch (const ConfigError& error) {
      throw FormatError("json", error.what());
    }
    throw FormatError(where,
                      std::string(name) + ": expected " + help + ", received " + found->dump());
  });
  for (const auto& [key, value] : json.items()) {
    if (!known.contains(key)) {
      throw FormatError(where, "unknown key " + quote(key) + ": expected one of " + names);
    }
  }
}

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_FIELDS_H_
