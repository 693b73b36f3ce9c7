#include "halfstep/io/flax_checkpoint.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "tests/io/hostile.h"

namespace halfstep::io {
namespace {

using nlohmann::json;

// Returns an array as flax writes it: an extension of type `kind` with [shape, type, bytes].
json array_leaf(const json& shape, const std::string& type, std::size_t bytes,
                std::uint64_t kind = 1) {
  std::vector<std::uint8_t> data(bytes);
  for (std::size_t i = 0; i < bytes; ++i) data[i] = static_cast<std::uint8_t>(i);
  return json::binary(json::to_msgpack(json::array({shape, type, json::binary(data)})), kind);
}

json checkpoint() {
  return {{"step", 123},
          {"optimizer", nullptr},
          {"num_sample_steps", 8},
          {"ema_params",
           {{"a.b", {{"kernel", array_leaf({2, 3}, "float32", 24)}}},
            {"c", array_leaf(json::array(), "int32", 4, 3)}}}};
}

FlaxCheckpoint read(const Bytes& bytes) { return parse_flax_checkpoint(bytes, "checkpoint_1"); }

Bytes packed(const json& value) {
  const std::vector<std::uint8_t> bytes = json::to_msgpack(value);
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}

TEST(FlaxCheckpoint, LeavesHaveJoinedKeys) {
  const FlaxCheckpoint tree = read(packed(checkpoint()));
  EXPECT_EQ(tree.integers,
            (std::map<std::string, std::int64_t>{{"step", 123}, {"num_sample_steps", 8}}));
  ASSERT_EQ(tree.arrays.size(), 2u);
  const Array& kernel = tree.arrays.at("ema_params/a.b/kernel");
  EXPECT_EQ(kernel.dtype, DType::f32);
  EXPECT_EQ(kernel.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(kernel.bytes[23], std::byte{23});
  EXPECT_TRUE(tree.arrays.at("ema_params/c").shape.empty());
}

TEST(FlaxCheckpoint, RejectsOtherContents) {
  const auto refused = [](const json& value, std::string_view part) {
    expect_error<FormatError>([&] { read(packed(value)); }, part);
  };
  refused(json(5), "one leaf");
  refused({{"x", "words"}}, "\"x\": expected a leaf of a checkpoint, received a string");
  refused({{"x", {{"__msgpack_chunked_array__", true}}}}, "in chunks");
  refused({{"x", array_leaf({2, 3}, "float32", 20)}}, "20 bytes");
  refused({{"x", array_leaf({2, 3}, "complex64", 48)}}, "complex64");
  refused({{"x", array_leaf({-2, 3}, "float32", 24)}}, "a negative number");
  refused({{"x", array_leaf({1ull << 40, 1ull << 40}, "float32", 24)}}, "2^63");
  refused({{"x", array_leaf({1'000'000'000}, "float32", 24)}}, "1000000000");
  refused({{"x", array_leaf({2, 3}, "float32", 24, 2)}}, "bytes");
  refused({{"x", json::binary(json::to_msgpack(json::array({json::array({2}), "float32"})), 1)}},
          "received fewer elements");
  expect_error<FormatError>([] { read(bytes_of("PK\3\4 not this")); }, "checkpoint_1");
}

TEST(FlaxCheckpoint, RejectsDeepNesting) {
  expect_error<FormatError>([] { read(Bytes(1'000'000, std::byte{0x91})); }, "nesting");
  const std::vector<std::uint8_t> deep(1'000'000, 0x91);
  expect_error<FormatError>([&] { read(packed({{"x", json::binary(deep, 1)}})); }, "nesting");
}

TEST(FlaxCheckpoint, ClaimedLengthsAllocateNothing) {
  const Bytes four_gib = {std::byte{0x81}, std::byte{0xa1}, std::byte{'x'},  std::byte{0xc9},
                          std::byte{0xff}, std::byte{0xff}, std::byte{0xff}, std::byte{0xff},
                          std::byte{1},    std::byte{0x93}};
  expect_error<FormatError>([&] { read(four_gib); }, "cut short");
}

TEST(FlaxCheckpoint, RejectsEveryTruncation) {
  expect_no_prefix_is_read(packed(checkpoint()), [](const Bytes& bytes) { read(bytes); });
}

TEST(FlaxCheckpoint, SurvivesMutations) {
  expect_mutations_survived(packed(checkpoint()), 3000, [](const Bytes& bytes) { read(bytes); });
}

}  // namespace
}  // namespace halfstep::io
