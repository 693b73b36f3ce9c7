#include "halfstep/io/flax_checkpoint.h"

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "halfstep/core/error.h"
#include "halfstep/io/file.h"
#include "halfstep/io/quote.h"

namespace halfstep::io {

namespace {

using nlohmann::json;

// The parser recurses into maps and lists. Real checkpoints are much less deep.
constexpr std::size_t kMaxDepth = 32;
constexpr std::uint64_t kArray = 1;
constexpr std::uint64_t kScalar = 3;

constexpr std::pair<std::string_view, DType> kTypes[] = {
    {"float64", DType::f64},   {"float32", DType::f32}, {"float16", DType::f16},
    {"bfloat16", DType::bf16}, {"int64", DType::i64},   {"int32", DType::i32},
    {"int16", DType::i16},     {"int8", DType::i8},     {"uint8", DType::u8},
    {"bool", DType::boolean}};

// Parser callbacks that track the position in the tree and reject every kind of leaf; derived
// classes accept some of them. The elements of lists have the keys 0, 1, ...
class Leaves : public json::json_sax_t {
 public:
  explicit Leaves(std::string where) : where_(std::move(where)) {}

  bool null() override { return leaf("nil"); }
  bool boolean(bool) override { return leaf("a boolean"); }
  bool number_integer(json::number_integer_t) override { return leaf("a negative number"); }
  bool number_unsigned(json::number_unsigned_t) override { return leaf("an integer"); }
  bool number_float(json::number_float_t, const json::string_t&) override {
    return leaf("a floating-point number");
  }
  bool string(json::string_t&) override { return leaf("a string"); }
  bool binary(json::binary_t&) override { return leaf("bytes"); }

  bool start_object(std::size_t) override { return enter(false); }
  bool key(json::string_t& name) override {
    open_.back().key = name;
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return enter(true); }
  bool end_array() override { return close(); }

  bool parse_error(std::size_t position, const std::string&, const json::exception&) override {
    fail("expected MessagePack, received something else at byte " + std::to_string(position) +
         "; the file may be cut short");
  }

 protected:
  [[noreturn]] void fail(const std::string& what) const { throw FormatError(where_, what); }

  // Returns the keys of the current leaf, joined by '/'.
  std::string place() const {
    std::string text;
    for (const Level& level : open_) {
      text += (text.empty() ? "" : "/") + (level.list ? std::to_string(level.index) : level.key);
    }
    return text;
  }
  std::size_t depth() const { return open_.size(); }

  // Moves on after a leaf or a closed map.
  bool leave() {
    if (!open_.empty()) ++open_.back().index;
    return true;
  }

 private:
  struct Level {
    bool list = false;
    std::string key;
    std::size_t index = 0;
  };

  bool leaf(const char* what) const {
    fail(quote(place()) + ": expected a leaf of a checkpoint, received " + what);
  }
  bool enter(bool list) {
    if (open_.size() == kMaxDepth)
      fail("expected nesting of at most " + std::to_string(kMaxDepth) + ", received more");
    open_.push_back({.list = list});
    return true;
  }
  bool close() {
    open_.pop_back();
    return leave();
  }

  std::string where_;
  std::vector<Level> open_;
};

void parse(std::span<const std::uint8_t> bytes, Leaves& leaves) {
  json::sax_parse(bytes.begin(), bytes.end(), &leaves, json::input_format_t::msgpack);
}

// Parses the contents of an array extension: [shape, type, bytes].
class ArrayPayload final : public Leaves {
 public:
  using Leaves::Leaves;

  bool number_unsigned(json::number_unsigned_t value) override {
    if (!place().starts_with("0/") ||
        value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
      fail("expected a shape of integers, received " + std::to_string(value));
    }
    array_.shape.push_back(static_cast<std::int64_t>(value));
    return leave();
  }
  bool string(json::string_t& name) override {
    const auto found = std::ranges::find(kTypes, name, [](const auto& type) { return type.first; });
    if (place() != "1" || found == std::end(kTypes))
      fail("expected the name of an element type, received " + quote(name));
    array_.dtype = found->second;
    return leave();
  }
  bool binary(json::binary_t& bytes) override {
    if (place() != "2") fail("expected [shape, type, bytes], received bytes elsewhere");
    const auto data = std::as_bytes(std::span(bytes));
    array_.bytes.assign(data.begin(), data.end());
    complete_ = true;
    return leave();
  }

  Array take_array() {
    if (!complete_) fail("expected [shape, type, bytes], received fewer elements");
    return std::move(array_);
  }

 private:
  Array array_;
  bool complete_ = false;
};

class Checkpoint final : public Leaves {
 public:
  explicit Checkpoint(const std::string& file) : Leaves(file), file_(file) {}

  bool null() override { return leave(); }
  bool boolean(bool) override {
    if (place().ends_with("__msgpack_chunked_array__"))
      fail(quote(place()) + ": expected arrays of at most 2^30 bytes, received one in chunks");
    return Leaves::boolean(true);
  }
  bool number_integer(json::number_integer_t value) override {
    keep(checkpoint.integers, static_cast<std::int64_t>(value));
    return leave();
  }
  bool number_unsigned(json::number_unsigned_t value) override {
    return number_integer(static_cast<json::number_integer_t>(value));
  }
  bool binary(json::binary_t& payload) override {
    const std::string name = place();
    if (!payload.has_subtype() || (payload.subtype() != kArray && payload.subtype() != kScalar))
      return Leaves::binary(payload);
    const std::string where = file_ + ": " + name;
    ArrayPayload inner(where);
    parse(payload, inner);
    Array array = inner.take_array();
    require_consistent(array.view(), where);
    keep(checkpoint.arrays, std::move(array));
    return leave();
  }

  FlaxCheckpoint checkpoint;

 private:
  template <class T>
  void keep(std::map<std::string, T>& leaves, T value) const {
    if (depth() == 0) fail("expected a map of leaves, received one leaf");
    const std::string name = place();
    if (!leaves.emplace(name, std::move(value)).second)
      fail(quote(name) + ": expected each key once, received it twice");
  }

  std::string file_;
};

}  // namespace

FlaxCheckpoint parse_flax_checkpoint(std::span<const std::byte> bytes, std::string_view where) {
  Checkpoint reader{std::string(where)};
  parse({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}, reader);
  return std::move(reader.checkpoint);
}

FlaxCheckpoint read_flax_checkpoint(const std::filesystem::path& path) {
  return parse_flax_checkpoint(read_bytes(path), path.string());
}

}  // namespace halfstep::io
