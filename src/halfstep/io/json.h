// Reads and writes JSON.
//
// Parsing is stricter than nlohmann::json's: duplicate keys and nesting deeper than kMaxJsonDepth
// are errors. Syntax errors name the line and the column.
#ifndef HALFSTEP_IO_JSON_H_
#define HALFSTEP_IO_JSON_H_

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <string_view>

namespace halfstep::io {

inline constexpr int kMaxJsonDepth = 100;

// Parses `text`. Throws FormatError, naming `where` (a path, a flag or a metadata key), if it is
// not valid JSON.
nlohmann::json parse_json(std::string_view text, std::string_view where);

// Reads and parses a file. Throws as parse_json, and IoError if the file cannot be read.
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
