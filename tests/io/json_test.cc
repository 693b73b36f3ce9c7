#include "halfstep/io/json.h"

#include <gtest/gtest.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "tests/io/hostile.h"
#include "tests/io/temporary_folder.h"

namespace halfstep::io {
namespace {

using nlohmann::json;

TEST(Json, RoundTripsThroughAFile) {
  const TemporaryFolder folder;
  const json value = {{"a", 1}, {"b", {1.5, nullptr, "text"}}, {"big", UINT64_MAX}};
  write_json(folder / "x.json", value);
  EXPECT_EQ(read_json(folder / "x.json"), value);
  EXPECT_EQ(folder.files(), 1);
}

TEST(Json, IsWrittenIndentedWithANewline) {
  const TemporaryFolder folder;
  write_json(folder / "x.json", {{"a", 1}});
  EXPECT_EQ(read_file(folder / "x.json"), "{\n  \"a\": 1\n}\n");
}

TEST(Json, DoublesKeepTheirBits) {
  const double value = 0.1 + 0.2;
  EXPECT_EQ(parse_json(json(value).dump(), "x").get<double>(), value);
}

TEST(Json, ErrorsNameFileLineAndColumn) {
  expect_error<FormatError>(
      [] { parse_json("{\n  \"a\": 1,\n  b\n}", "options.json"); },
      "[options.json] JSON: expected valid JSON, received an error at line 3, column 3");
  expect_error<FormatError>([] { parse_json("", "x"); }, "line 1, column 1");
}

TEST(Json, ErrorsStayShortAndPrintable) {
  const std::string text = "{\"a\": \"" + std::string(100'000, 'x') + "\x01\n\"}";
  try {
    parse_json(text, "x");
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_LT(std::string_view(error.what()).size(), 300u);
  }
}

TEST(Json, NumbersOfPythonThatJsonDoesNotHaveAreNull) {
  const TemporaryFolder folder;
  write_file(folder / "x.json", R"({"a": [NaN, -Infinity, Infinity, 1], "\"NaN": "NaN \\"})");
  EXPECT_EQ(read_python_json(folder / "x.json"),
            (json{{"a", {nullptr, nullptr, nullptr, 1}}, {"\"NaN", "NaN \\"}}));
  write_file(folder / "x.json", R"({"a": "NaN\)");
  expect_error<FormatError>([&] { read_python_json(folder / "x.json"); }, "line 1");
}

TEST(Json, RejectsDuplicateKeys) {
  expect_error<FormatError>([] { parse_json(R"({"a": {"b": 1, "c": 2, "b": 3}})", "x"); },
                            "\"b\" twice");
  // The same key may appear in different objects.
  EXPECT_EQ(parse_json(R"({"a": {"a": [{"a": 1}, {"a": 2}]}})", "x").size(), 1u);
}

TEST(Json, RejectsDeepNesting) {
  expect_error<FormatError>([] { parse_json(std::string(1'000'000, '['), "x"); }, "nesting");
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  expect_error<FormatError>([&] { parse_json(objects, "x"); }, "nesting");
  EXPECT_NO_THROW(
      parse_json(std::string(kMaxJsonDepth, '[') + std::string(kMaxJsonDepth, ']'), "x"));
}

TEST(Json, RejectsMoreValuesThanFitIntoMemory) {
  std::string text = "[";
  for (std::size_t i = 0; i < kMaxJsonValues; ++i) text += "0,";
  text.back() = ']';
  expect_error<FormatError>([&] { parse_json(text, "x"); }, "at most 4000000 values");
}

TEST(Json, ElementsAreStreamed) {
  std::vector<json> elements;
  const auto collect = [&](const json& element) { elements.push_back(element); };
  EXPECT_EQ(
      parse_json_elements(R"({"a": [7], "b": [1, [2, []], {"b": [3]}, null], "c": {"b": [4]}})",
                          "x", "b", collect),
      json::parse(R"({"a": [7], "b": [], "c": {"b": [4]}})"));
  EXPECT_EQ(elements,
            (std::vector<json>{1, json::parse("[2, []]"), json::parse(R"({"b": [3]})"), nullptr}));
  elements.clear();
  EXPECT_EQ(parse_json_elements(R"([["b"]])", "x", "b", collect), json::parse(R"([["b"]])"));
  EXPECT_EQ(parse_json_elements(R"({"b": 5})", "x", "b", collect), json::parse(R"({"b": 5})"));
  EXPECT_TRUE(elements.empty());
}

// As many values as parse_json refuses take no memory.
TEST(Json, AnyNumberOfElementsIsStreamed) {
  std::string text = "{\"b\": [";
  for (std::size_t i = 0; i < kMaxJsonValues; ++i) text += "0,";
  text.back() = ']';
  std::size_t count = 0;
  parse_json_elements(text + '}', "x", "b", [&](const json&) { ++count; });
  EXPECT_EQ(count, kMaxJsonValues);
}

TEST(Json, RejectsInvalidUtf8) {
  expect_error<FormatError>([] { parse_json("{\"\xff\": 1}", "x"); }, "JSON");
  expect_error<FormatError>([] { parse_json("\"\xed\xa0\x80\"", "x"); }, "JSON");
}

TEST(Json, RejectsInvalidJson) {
  for (const char* text :
       {"nan", "{\"a\": NaN}", "[1,]", "{} {}", "1e999", "'a'", "// x\n1", "01"}) {
    SCOPED_TRACE(text);
    expect_error<FormatError>([&] { parse_json(text, "x"); }, "[x] JSON");
  }
}

TEST(Json, WritingInvalidUtf8ThrowsAndWritesNothing) {
  const TemporaryFolder folder;
  expect_error<ConfigError>([&] { write_json(folder / "x.json", json("\xff")); }, "UTF-8");
  EXPECT_EQ(folder.files(), 0);
}

TEST(Json, NumbersThatAreNotFiniteBecomeNull) {
  const TemporaryFolder folder;
  write_json(folder / "x.json", std::numeric_limits<double>::infinity());
  EXPECT_TRUE(read_json(folder / "x.json").is_null());
}

TEST(Json, MissingFileIsAnIoErrorWithItsName) {
  const TemporaryFolder folder;
  expect_error<IoError>([&] { read_json(folder / "absent.json"); }, "absent.json");
}

TEST(Json, SurvivesMutations) {
  const Bytes seed =
      bytes_of(R"({"a": [1, 2.5e3, -7, true, null], "b": {"c": "t\u00e9xt\n", "d": {}}})");
  expect_mutations_survived(seed, 5000, [](const Bytes& bytes) {
    parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, "mutation");
  });
}

}  // namespace
}  // namespace halfstep::io
