// Reads and writes JSON.
//
// Parsing is stricter than nlohmann::json's: duplicate keys are errors, and so is more than the
// limits below, so that a small file cannot take all memory. Syntax errors name the line and the
// column.
#ifndef HALFSTEP_IO_JSON_H_
#define HALFSTEP_IO_JSON_H_

#include <cstddef>
#include <filesystem>
#include <functional>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace halfstep::io {

inline constexpr int kMaxJsonDepth = 100;
inline constexpr std::size_t kMaxJsonFile = std::size_t{1} << 28;  // bytes
inline constexpr std::size_t kMaxJsonValues = 4'000'000;           // of about 50 bytes each

// Parses `text`. Throws FormatError, naming `where` (a path, a flag or a metadata key), if it is
// not valid JSON.
nlohmann::json parse_json(std::string_view text, std::string_view where);

// Parses an object whose array `key` may be larger than memory: passes its elements to `consume`,
// one after another, and returns the object with an empty array. Throws as parse_json, and what
// `consume` throws.
nlohmann::json parse_json_elements(std::string_view text, std::string_view where,
                                   std::string_view key,
                                   const std::function<void(const nlohmann::json&)>& consume);

// Reads and parses a file. Throws as parse_json, FormatError if it has more than kMaxJsonFile
// bytes, and IoError if the file cannot be read.
nlohmann::json read_json(const std::filesystem::path& path);

// Reads a file that Python's json module wrote, which may contain NaN, Infinity and -Infinity: they
// become null. Throws as read_json.
nlohmann::json read_python_json(const std::filesystem::path& path);

// Writes a file atomically (see io/file.h), indented by two spaces and with a final newline.
// Infinity and NaN become null. Throws ConfigError for a string that is not UTF-8.
void write_json(const std::filesystem::path& path, const nlohmann::json& value);

// Removes a key from an object and returns its value; null if there is none.
nlohmann::json take(nlohmann::json& object, std::string_view key);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_JSON_H_
