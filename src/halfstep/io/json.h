// JSON texts and files.
//
// Parsing is stricter than the library's own: a key given twice and nesting deeper than
// kMaxJsonDepth are errors. Every error is one line with line and column.
#ifndef HALFSTEP_IO_JSON_H_
#define HALFSTEP_IO_JSON_H_

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string_view>

namespace halfstep::io {

inline constexpr int kMaxJsonDepth = 100;

// FormatError, naming `where` (a path, a flag, a metadata key), if `text` is not JSON.
nlohmann::json parse_json(std::string_view text, std::string_view where);

// IoError if the file cannot be read.
nlohmann::json read_json(const std::filesystem::path& path);

// Indented by two, with a newline at the end, atomically (see io/file.h). Numbers that are not
// finite become null. ConfigError for a string that is not UTF-8.
void write_json(const std::filesystem::path& path, const nlohmann::json& value);

}  // namespace halfstep::io

#endif  // HALFSTEP_IO_JSON_H_
