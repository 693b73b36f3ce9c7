#include "halfstep/io/json.h"

#include <algorithm>
#include <nlohmann/json.hpp>
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
std::string reason_of(const json::exception& error) {
  std::string_view what = error.what();
  if (const std::size_t colon = what.find(": "); colon != what.npos) what.remove_prefix(colon + 2);
  return quote(what.substr(0, what.find("; last read")));
}

// Builds a value from the events of the library's parser. Rejects what the library accepts:
// duplicate keys, deep nesting, on which the library's writer recurses, and more values than fit
// into memory.
class Builder : public json::json_sax_t {
 public:
  Builder(std::string_view text, std::string_view where) : text_(text), where_(where) {}

  // Passes the elements of the array `key` of the outermost object to `consume`.
  void stream(std::string_view key, const std::function<void(const json&)>& consume) {
    streamed_key_ = key;
    consume_ = &consume;
  }
  json take() { return std::move(root_); }

  bool null() override { return add_scalar(nullptr); }
  bool boolean(bool value) override { return add_scalar(value); }
  bool number_integer(std::int64_t value) override { return add_scalar(value); }
  bool number_unsigned(std::uint64_t value) override { return add_scalar(value); }
  bool number_float(double value, const std::string&) override { return add_scalar(value); }
  bool string(std::string& value) override { return add_scalar(std::move(value)); }
  bool binary(json::binary_t&) override { return false; }  // not in text

  bool start_object(std::size_t) override { return open(json::object()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool start_array(std::size_t) override {
    const bool is_streamed = consume_ != nullptr && open_.size() == 1 &&
                             open_.back()->is_object() && key_ == streamed_key_;
    open(json::array());
    if (is_streamed) streamed_ = open_.back();
    return true;
  }

  bool key(std::string& key) override {
    const auto [member, is_new] = open_.back()->emplace(key, nullptr);
    if (!is_new) fail("expected each key once, received " + quote(key) + " twice in one object");
    member_ = &*member;
    if (open_.size() == 1) key_ = std::move(key);
    return true;
  }

  bool parse_error(std::size_t byte, const std::string&, const json::exception& error) override {
    fail("expected valid JSON, received an error at " + position(text_, byte) + ": " +
         reason_of(error));
  }

 private:
  [[noreturn]] void fail(const std::string& what) const {
    throw FormatError(where_, "JSON: " + what);
  }

  // Adds a value to the array or object that is open, and returns its place.
  json* add(json value) {
    if (++values_ > kMaxJsonValues) {
      fail("expected at most " + std::to_string(kMaxJsonValues) + " values, received more");
    }
    if (!open_.empty() && open_.back()->is_array()) {
      open_.back()->push_back(std::move(value));
      return &open_.back()->back();
    }
    json* place = open_.empty() ? &root_ : member_;
    *place = std::move(value);
    return place;
  }

  bool add_scalar(json value) {
    add(std::move(value));
    pass_on();
    return true;
  }

  bool open(json value) {
    if (open_.size() == static_cast<std::size_t>(kMaxJsonDepth)) {
      fail("expected nesting of at most " + std::to_string(kMaxJsonDepth) + ", received more");
    }
    open_.push_back(add(std::move(value)));
    return true;
  }

  bool close() {
    open_.pop_back();
    pass_on();
    return true;
  }

  // Passes on the last value if it is a whole element of the streamed array.
  void pass_on() {
    if (streamed_ == nullptr || open_.empty() || open_.back() != streamed_) return;
    (*consume_)(streamed_->back());
    streamed_->clear();
    values_ = 0;
  }

  std::string_view text_, where_;
  json root_;
  std::vector<json*> open_;  // from the outermost one
  json* member_ = nullptr;   // the value of the last key
  std::size_t values_ = 0;
  std::string_view streamed_key_;
  const std::function<void(const json&)>* consume_ = nullptr;
  json* streamed_ = nullptr;  // the streamed array
  std::string key_;           // the last key of the outermost object
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

std::string read_bounded(const std::filesystem::path& path) {
  std::string text = read_file(path, kMaxJsonFile + 1);
  if (text.size() > kMaxJsonFile) {
    throw FormatError(path.string(), "JSON: expected at most " + std::to_string(kMaxJsonFile) +
                                         " bytes, received more");
  }
  return text;
}

}  // namespace

json parse_json(std::string_view text, std::string_view where) {
  Builder builder(text, where);
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

json parse_json_elements(std::string_view text, std::string_view where, std::string_view key,
                         const std::function<void(const json&)>& consume) {
  Builder builder(text, where);
  builder.stream(key, consume);
  json::sax_parse(text.begin(), text.end(), &builder);
  return builder.take();
}

json read_json(const std::filesystem::path& path) {
  return parse_json(read_bounded(path), path.string());
}

json read_python_json(const std::filesystem::path& path) {
  return parse_json(without_nonfinite(read_bounded(path)), path.string());
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
