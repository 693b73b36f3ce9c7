#include "halfstep/io/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

namespace {

using nlohmann::json;

// Returns "line 3, column 7" for the byte with number `byte`, counted from 1.
std::string position(std::string_view text, std::size_t byte) {
  const std::string_view before = text.substr(0, byte > 0 ? byte - 1 : 0);
  const auto line = 1 + std::ranges::count(before, '\n');
  const std::size_t last = before.rfind('\n');
  const std::size_t column = before.size() - (last == std::string_view::npos ? 0 : last + 1) + 1;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Returns the library's message, such as "syntax error while parsing value - ...", without its
// prefix and without the text read last, which may be arbitrarily long.
std::string reason_of(const json::parse_error& error) {
  std::string_view what = error.what();
  const std::size_t colon = what.find(": ");
  if (colon != std::string_view::npos) what.remove_prefix(colon + 2);
  what = what.substr(0, what.find("; last read"));
  return quote(what);
}

// A parser callback that rejects what the library accepts: duplicate keys, and deep nesting, on
// which the library's writer recurses.
class StrictCallback {
 public:
  explicit StrictCallback(std::string_view where) : where_(where) {}

  bool operator()(int depth, json::parse_event_t event, const json& parsed) {
    if (depth > kMaxJsonDepth) {
      throw FormatError(where_, "JSON: expected nesting of at most " +
                                    std::to_string(kMaxJsonDepth) + ", received more");
    }
    if (event == json::parse_event_t::object_start) keys_.emplace_back();
    if (event == json::parse_event_t::object_end) keys_.pop_back();
    if (event == json::parse_event_t::key && !keys_.back().insert(parsed).second) {
      throw FormatError(where_, "JSON: expected each key once, received " +
                                    quote(parsed.get_ref<const std::string&>()) +
                                    " twice in one object");
    }
    return true;
  }

 private:
  std::string where_;
  std::vector<std::set<std::string>> keys_;  // of each open object
};

// Returns `text` with the numbers that JSON does not have, outside strings, replaced by null.
std::string without_nonfinite(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    std::size_t length = 1;
    std::string_view written = text.substr(i, 1);
    if (in_string && text[i] == '\\') {
      length = 2;
      written = text.substr(i, length);
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string) {
      for (const std::string_view word : {"-Infinity", "Infinity", "NaN"}) {
        if (!text.substr(i).starts_with(word)) continue;
        length = word.size();
        written = "null";
        break;
      }
    }
    result += written;
    i += length;
  }
  return result;
}

}  // namespace

json parse_json(std::string_view text, std::string_view where) {
  try {
    return json::parse(text.begin(), text.end(), StrictCallback(where));
  } catch (const json::parse_error& error) {
    throw FormatError(where, "JSON: expected valid JSON, received an error at " +
                                 position(text, error.byte) + ": " + reason_of(error));
  } catch (const json::exception& error) {  // a number is out of range
    throw FormatError(where, "JSON: expected valid JSON, received " + quote(error.what()));
  }
}

json read_json(const std::filesystem::path& path) {
  return parse_json(read_file(path), path.string());
}

json read_python_json(const std::filesystem::path& path) {
  return parse_json(without_nonfinite(read_file(path)), path.string());
}

void write_json(const std::filesystem::path& path, const json& value) {
  std::string text;
  try {
    text = value.dump(2);
  } catch (const json::type_error& error) {
    throw ConfigError("write_json",
                      path.string() + ": expected UTF-8 text, received " + quote(error.what()));
  }
  write_file(path, text + "\n");
}

nlohmann::json take(nlohmann::json& object, std::string_view key) {
  const auto found = object.find(key);
  if (found == object.end()) return nullptr;
  nlohmann::json value = std::move(*found);
  object.erase(found);
  return value;
}

}  // namespace halfstep::io
